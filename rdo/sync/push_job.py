"""The shell script that carries out a push on the target. Pure, except for the text it loads.

The script is sent at the end of the archive with the files, and read from there in blocks, since a script on stdin
would be read byte by byte. So it may have as many lines as there are files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rdo.fscodec import fsencode
from rdo.remote_sh.template import fill, load
from rdo.sync.entry import Entry
from rdo.sync.manifest import Placed

WORDS_LIMIT = 2000
"""Words to pass to one program, and BYTES_LIMIT the bytes: less than the minimum of any system, which is 128 KiB,
including the environment and a pointer for each word."""

BYTES_LIMIT = 80_000

STAT = {"gnu": "-c 't\t%f %s %y %z %i'", "bsd": "-f 't\t%Xp %z %Fm %Fc %i'"}
"""How to ask each kind of stat(1) for kind and mode, size, both times, and the inode. Like busybox's, GNU's prints
fractions of a second only with the whole date; TZ is set."""

DEVICE = {"gnu": "-c %d", "bsd": "-f %d"}
"""How to ask it for the file system."""

_APPLY, _DONE = load("sync_apply"), load("sync_done", TAB="\t")


class Push(NamedTuple):
    """What is to be done. All paths are relative to the root."""

    put: Mapping[bytes, Placed]
    moved: Sequence[bytes] = ()
    """The entries that are moved to their places one by one, in order; all others arrive within a new directory."""
    removed: Sequence[bytes] = ()
    """Files and links to remove, which rdo put there."""
    emptied: Sequence[bytes] = ()
    """Directories to remove if they are empty, which rdo created; the deepest first."""
    cleared: Sequence[bytes] = ()
    """The files and links in `removed` that are in the way of new ones, and so are removed first."""
    opened: Sequence[bytes] = ()
    """The same for directories, which are replaced by something else; the deepest first."""
    same: Mapping[bytes, str] = {}
    """Paths that must be as they were left, with their tokens."""
    none: Sequence[bytes] = ()
    """Paths at which nothing may exist."""
    plain: Sequence[bytes] = ()
    """Parent directories, none of which may be a link."""
    parts: Mapping[bytes, str] = {}
    """Large files that were sent before, with the names of their partial files."""
    unknown: Sequence[bytes] = ()
    """Directories that may be on another file system."""
    unlocked: Mapping[bytes, int] = {}
    """Directories whose mode does not let their owner put anything there, with a mode that does meanwhile."""
    modes: Mapping[bytes, int] = {}
    """The final modes of directories."""
    is_emptied_first: bool = False
    """Whether `emptied` are removed before anything is put."""


def word(path: bytes) -> bytes:
    """A path as a word for the shell."""
    return b"'./" + path.replace(b"'", b"'\\''") + b"'" if path else b"."


def chunks(words: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Groups of as many words as a program accepts."""
    chunk: list[bytes] = []
    size = 0
    for each in words:
        if chunk and (len(chunk) >= WORDS_LIMIT or size + len(each) > BYTES_LIMIT):
            yield chunk
            chunk, size = [], 0
        chunk.append(each)
        size += len(each) + 1
    if chunk:
        yield chunk


def calls(function: bytes, paths: Iterable[bytes], spell: Callable[[bytes], bytes] = word) -> Iterator[bytes]:
    """Lines that call the function with all paths."""
    for chunk in chunks(map(spell, paths)):
        yield function + b" " + b" ".join(chunk) + b"\n"


def stage(serial: str) -> str:
    """The name of the directory in which a push is unpacked."""
    return f"stage-{serial}"


_REPLACE_LOG = fsencode(load("sync_log")) + b"\n"


ECHO_LIMIT = 4096
"""Bytes that the shell itself prints: that saves a program in the most frequent case, a single file."""


def job(push: Push, *, serial: str, stat: str, intent: bytes, replaces_log: bool, is_last: bool) -> bytes:
    """The script. `serial` is that of the push, `stat` the kind that the target has, and `intent` the content of
    `pending`. `replaces_log`: the archive has a new log of what was there before. `is_last`: no partial file is needed
    any more."""
    lines = [_library(stat), *_checks(push), *_steps(push), _intend(intent), *_commit(push.put)]
    if replaces_log:
        lines.append(_REPLACE_LOG)
    return b"".join(lines) + fsencode(fill(_DONE, SERIAL=serial, IS_LAST="1" if is_last else "")) + b"\n"


def check_job(push: Push, *, stat: str) -> bytes:
    """A script that only checks what is there."""
    lines = [_library(stat), *_checks(push), b"stop_sync checked\n"]
    return b"".join(lines)


def _library(stat: str) -> bytes:
    return fsencode(fill(_APPLY, STAT=STAT[stat], DEVICE=DEVICE[stat])) + b"\n"


def _checks(push: Push) -> Iterator[bytes]:
    yield from calls(b"plain", push.plain)
    yield from calls(b"none", push.none)
    for chunk in chunks(push.same):
        tokens = "\n".join("t\t" + push.same[path] for path in chunk)
        yield b"same '" + tokens.encode() + b"' " + b" ".join(map(word, chunk)) + b"\n"


def _steps(push: Push) -> Iterator[bytes]:
    yield from calls(b"devices", push.unknown)
    yield from _chmod(push.unlocked)
    yield from calls(b"clear", push.cleared)
    if push.is_emptied_first:
        yield from calls(b"leave", push.emptied)
    yield from calls(b"existing", [path for path in sorted(push.put) if push.put[path].entry.kind == "directory"])
    yield from calls(b"make_way", push.opened)
    for path, name in sorted(push.parts.items()):
        yield b"whole %s %o %s\n" % (name.encode(), push.put[path].entry.mode, word(path))
    for directory, (files, directories) in sorted(_by_directory(push).items()):
        yield from _call_in(b"into_new", directory, directories)
        yield from _call_in(b"into", directory, files)
    yield from calls(b"clear", sorted(set(push.removed).difference(push.cleared)))
    if not push.is_emptied_first:
        yield from calls(b"leave", push.emptied)
    yield from _chmod(push.modes)


def _chmod(modes: Mapping[bytes, int]) -> Iterator[bytes]:
    by_mode = defaultdict(list)
    for path, mode in sorted(modes.items()):
        by_mode[mode].append(path)
    for mode, paths in by_mode.items():
        yield from calls(b"set_mode %o" % mode, paths)


def _call_in(function: bytes, directory: bytes, names: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks(map(word, names)):
        yield b" ".join([function, word(directory), *chunk]) + b"\n"


def _by_directory(push: Push) -> Mapping[bytes, tuple[list[bytes], list[bytes]]]:
    """The names of what is moved, by directory: files and links, and directories."""
    found: dict[bytes, tuple[list[bytes], list[bytes]]] = defaultdict(lambda: ([], []))
    for path in push.moved:
        directory, _, name = path.rpartition(b"/")
        found[directory][push.put[path].entry.kind == "directory"].append(name)
    return found


def _intend(intent: bytes) -> bytes:
    """A function that prints the intent. Every shell's `echo` can print letters, but not what may be an escape."""
    if len(intent) > ECHO_LIMIT or b"\\" in intent or not intent.isascii():
        return b'intend() {\ncat "$sync_stage/pending"\n}\n'
    return b"intend() {\necho '" + intent.removesuffix(b"\n").replace(b"'", b"'\\''") + b"'\n}\n"


def _commit(put: Mapping[bytes, Placed]) -> Iterator[bytes]:
    records = [line[:-1] for line in calls(b"record", sorted(put))]
    yield b"commit() {\n" + b" &&\n".join(records or [b":"]) + b"\n}\n"


def is_bare(entry: Entry) -> bool:
    """Whether the mode of a directory keeps its owner from putting anything into it."""
    return entry.kind == "directory" and entry.mode & 0o300 != 0o300
