"""The record of what was pulled from a target, kept on this machine with a line for each path. Pure.

    MARK                            identifies the directory on the target
    f DIGEST TOKEN HERE PATH        a file: its content, what stat(1) printed for it there, and its state here
    l LINK TOKEN HERE PATH          a symbolic link
    d PATH                          a directory that was created for files in it

HERE is empty for what was about to be put here when the record was written. A path may then have two lines.
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
    """The digest of a file, or the text of a link."""
    token: str = ""
    """What the target reports about it; empty once the whole directory was gone there."""
    here: str = ""
    """Its local size, time and inode; empty if unknown."""


Record = dict[bytes, tuple[Pulled, ...]]
"""For each path, the versions that rdo may have put here; the last one is the one intended."""


def encode(mark: str, record: Mapping[bytes, tuple[Pulled, ...]]) -> bytes:
    """Encode the record."""
    lines = [mark.encode() + b"\n"]
    for path, versions in record.items():
        for each in versions:
            words = [each.kind[:1].encode()]
            if each.kind != "directory":
                words += [escaped(each.content), each.token.encode(), each.here.encode()]
            lines.append(b"\t".join([*words, escaped(path)]) + b"\n")
    return b"".join(lines)


def decode(text: bytes) -> tuple[str, Record]:
    """Decode mark and record. An invalid line is dropped, so that its file does not count as rdo's."""
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
