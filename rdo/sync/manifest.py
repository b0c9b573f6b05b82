"""The manifest of what rdo has put on a target: a log that the target keeps, and its contents. Pure.

    P SERIAL            a push begins
    f MODE SIZE MTIME VERSION DIGEST PATH   it put a file; MODE is octal, MTIME in nanoseconds
    l LINK PATH         it put a symbolic link
    d MODE PATH         it put a directory
    - PATH              it removed what was at a path
    h NUMBER ...        these of the directories it put, counted from 0, already existed
    t TOKEN             what the target's stat(1) prints for an entry that was put: one each, in the same order
    E SERIAL            the push is complete

Words are separated by tabs. The line of an entry (f, l, d) may begin with `=` and a token: then the entry was there
before with this token, and no `t` line follows for it. In a path or a link, `\\`, tab and newline are `\\\\`, `\\t`
and `\\n`.

A push without an end was interrupted: each of its paths is in either the old or the new version. What a push is going
to do is written to a separate file before it begins, in the same format.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rdo.sync.entry import Entry
from rdo.sync.path_word import escaped, read_path, unescaped

_FIELDS = {b"f": 6, b"l": 2, b"d": 2}
"""The number of words that follow each letter."""


class Placed(NamedTuple):
    """What rdo has put at a path."""

    entry: Entry
    digest: str = ""
    """The hexadecimal SHA-256 digest of a file's content."""
    token: str = ""
    """What stat(1) on the target has printed about it since; empty if that is unknown."""
    existed: bool = False
    """Whether it is a directory that existed before rdo, and is therefore never removed."""


class Manifest(NamedTuple):
    """The contents of a target's log."""

    placed: Mapping[bytes, Placed]
    uncertain: Mapping[bytes, tuple[Placed, ...]]
    """For each path, other versions that an interrupted push of rdo may have left there. A path without an entry in
    `placed` may not exist."""
    serial: str
    """The serial of the last complete push; empty if there is none."""
    lines: int
    """Lines of the log, which show how much rewriting it would save."""


class BadManifest(ValueError):
    """The target sent something that is not a manifest."""


def line(path: bytes, placed: Placed, *, keep: bool = False) -> bytes:
    """The line for what was put at a path; with `keep`, for what was there before, with its token."""
    entry, name = placed.entry, escaped(path)
    if entry.kind == "file":
        numbers = (entry.mode, entry.size, entry.mtime_ns, entry.version)
        words = b"f\t%o\t%d\t%d\t%d\t%s\t%s" % (*numbers, placed.digest.encode(), name)
    elif entry.kind == "link":
        words = b"l\t%s\t%s" % (escaped(entry.link), name)
    else:
        words = b"d\t%o\t%s" % (entry.mode, name)
    if not keep:
        return words + b"\n"
    token = "h" if placed.existed else placed.token
    return b"=%s\t%s\n" % (token.encode(), words)


def intent(
    serial: str,
    put: Iterable[tuple[bytes, Placed]],
    removed: Iterable[bytes],
    kept: Iterable[tuple[bytes, Placed]] = (),
) -> bytes:
    """The lines of a push, up to the point where its tokens follow."""
    lines = [b"P\t%s\n" % serial.encode()]
    lines += [line(path, placed, keep=True) for path, placed in kept]
    lines += [b"-\t%s\n" % escaped(path) for path in removed]
    lines += [line(path, placed) for path, placed in put]
    return b"".join(lines)


def whole(serial: str, placed: Mapping[bytes, Placed]) -> bytes:
    """A log with the same contents in as few lines as possible."""
    return intent(serial, (), (), placed.items()) + b"E\t%s\n" % serial.encode()


class _Push:
    """A push while it is being parsed."""

    def __init__(self) -> None:
        self.kept: dict[bytes, Placed] = {}
        self.put: list[tuple[bytes, Placed]] = []
        self.removed: list[bytes] = []
        self.tokens: list[str] = []
        self.existed: set[int] = set()
        self.fault: ValueError | None = None
        """Why a line could not be parsed. If the log was cut off there, the push has no end."""

    def take(self, text: bytes) -> None:
        """Parse one line."""
        try:
            if text.startswith(b"="):
                self._read_kept(text[1:])
            else:
                kind, _, rest = text.partition(b"\t")
                self._read(kind, rest)
        except ValueError as error:
            self.fault = error

    def _read(self, kind: bytes, rest: bytes) -> None:
        if kind == b"t":
            self.tokens.append(rest.decode("ascii"))
        elif kind == b"-":
            self.removed.append(read_path(rest))
        elif kind == b"h":
            self.existed.update(map(int, rest.split()))
        else:
            self.put.append(_placed(kind, rest))

    def _read_kept(self, text: bytes) -> None:
        token, _, words = text.partition(b"\t")
        kind, _, rest = words.partition(b"\t")
        path, placed = _placed(kind, rest)
        existed = token == b"h"
        self.kept[path] = placed._replace(token="" if existed else token.decode("ascii"), existed=existed)

    def apply(self, placed: dict[bytes, Placed], uncertain: dict[bytes, tuple[Placed, ...]]) -> None:
        """Apply the push, which is complete. Raises ValueError."""
        if self.fault:
            raise self.fault
        placed.update(self.kept)
        for path in self.removed:
            placed.pop(path, None)
        placed.update(recorded(self.put, self.tokens, self.existed, placed))
        for path in (*self.kept, *self.removed, *(path for path, _ in self.put)):
            uncertain.pop(path, None)

    def leave(self, placed: Mapping[bytes, Placed], uncertain: dict[bytes, tuple[Placed, ...]]) -> None:
        """Add the versions of the push, which was interrupted."""
        for path, each in [*self.kept.items(), *self.put]:
            maybe = each._replace(existed=each.entry.kind == "directory")
            uncertain[path] = (*uncertain.get(path, ()), maybe)
        for path in self.removed:
            if path in placed:
                uncertain.setdefault(path, ())


def recorded(
    put: Iterable[tuple[bytes, Placed]],
    tokens: Sequence[str],
    existed: Collection[int],
    before: Mapping[bytes, Placed],
) -> Iterator[tuple[bytes, Placed]]:
    """What was put, with what stat(1) has printed about it since. Directories have no such token, since other files in
    them change it.

    `existed` has the directories that were there before, even if an earlier push created them, as `before` shows.
    Raises BadManifest unless there is a token for each.
    """
    directories, put = 0, list(put)
    if len(tokens) != len(put):
        raise BadManifest("it has not as many tokens as entries")
    for (path, placed), token in zip(put, tokens, strict=True):
        if placed.entry.kind == "directory":
            yield path, placed._replace(existed=directories in existed and not _is_made(before.get(path)))
            directories += 1
        else:
            yield path, Placed(placed.entry, placed.digest, token)  # _replace() takes several times as long


def _is_made(placed: Placed | None) -> bool:
    """Whether it is a directory that rdo created."""
    return placed is not None and placed.entry.kind == "directory" and not placed.existed


def parse(log: bytes, pending: Iterable[bytes] = ()) -> Manifest:
    """The result of the log and the intents of interrupted pushes. Raises BadManifest.

    If a push begins before the previous one has ended, that one was interrupted there.
    """
    placed: dict[bytes, Placed] = {}
    uncertain: dict[bytes, tuple[Placed, ...]] = {}
    serial, begun, lines = "", _Push(), log.split(b"\n")
    try:
        for text in lines:
            kind, _, rest = text.partition(b"\t")
            if kind == b"P":
                begun.leave(placed, uncertain)
                begun = _Push()
            elif kind == b"E":
                begun.apply(placed, uncertain)
                serial, begun = rest.decode("ascii"), _Push()
            elif text:
                begun.take(text)
        begun.leave(placed, uncertain)
        for each in pending:
            _intent(each).leave(placed, uncertain)
    except ValueError as error:
        raise BadManifest(str(error)) from None
    return Manifest(placed, uncertain, serial, len(lines))


def _intent(text: bytes) -> _Push:
    push = _Push()
    for each in text.split(b"\n"):
        if each and not each.startswith(b"P\t"):
            push.take(each)
    return push


def _placed(kind: bytes, rest: bytes) -> tuple[bytes, Placed]:
    words = rest.split(b"\t")
    if len(words) != _FIELDS.get(kind):
        raise BadManifest(f"not a line of a manifest: {kind[:20]!r}")
    path = read_path(words[-1])
    if kind == b"f":
        size, mtime, version = map(int, words[1:4])
        return path, Placed(Entry("file", int(words[0], 8), size, mtime, version=version), words[4].decode("ascii"))
    if kind == b"l":
        return path, Placed(Entry("link", link=unescaped(words[0])))
    return path, Placed(Entry("directory", int(words[0], 8)))
