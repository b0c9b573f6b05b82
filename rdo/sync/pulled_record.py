"""What was pulled from a target: a line for each path, kept on this machine. Pure.

    MARK                            by which the target knows that it is the one
    f DIGEST TOKEN HERE PATH        a file: its content, what stat(1) said of it there, and what it is here
    l LINK TOKEN HERE PATH          a symbolic link
    d PATH                          a directory that was made for what is in it

HERE is empty for what was about to be put here when the record was written. A path may have two lines then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from rdo.sync.path_word import BadWord, escaped, read_path, unescaped


class Pulled(NamedTuple):
    """A version of a path that was pulled."""

    kind: str
    """`file`, `link` or `directory`."""
    content: bytes = b""
    """A file's digest, or where a link leads."""
    token: str = ""
    """What the target says of it; empty once it was gone with all else there."""
    here: str = ""
    """What it is here, by size, time and inode; empty if that is not known."""


Record = dict[bytes, tuple[Pulled, ...]]
"""By path, the versions that rdo may have put here; the last one is what it was to be."""


def encode(mark: str, record: Mapping[bytes, tuple[Pulled, ...]]) -> bytes:
    """The text."""
    lines = [mark.encode() + b"\n"]
    for path, versions in record.items():
        for each in versions:
            words = [each.kind[:1].encode()]
            if each.kind != "directory":
                words += [escaped(each.content), each.token.encode(), each.here.encode()]
            lines.append(b"\t".join([*words, escaped(path)]) + b"\n")
    return b"".join(lines)


def decode(text: bytes) -> tuple[str, Record]:
    """Mark and record; a line that is none is dropped: what is here is then not known as rdo's."""
    first, _, rest = text.partition(b"\n")
    found: defaultdict[bytes, list[Pulled]] = defaultdict(list)
    for line in rest.split(b"\n"):
        words = line.split(b"\t")
        try:
            path = read_path(words[-1])
            if words[0] == b"d" and len(words) == 2:
                found[path].append(Pulled("directory"))
            elif words[0] in (b"f", b"l") and len(words) == 5:
                kind = "file" if words[0] == b"f" else "link"
                token, here = (word.decode("ascii") for word in words[2:4])
                version = Pulled(kind, unescaped(words[1]), token, here)
                found[path].append(version)
        except (BadWord, UnicodeDecodeError):
            continue
    return first.decode("ascii", "replace"), {path: tuple(versions) for path, versions in found.items()}
