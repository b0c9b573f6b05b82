"""Examines paths on a target: their kinds, what stat(1) prints, their contents. Done by a job that changes nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from rdo.pool.shell_job import JobFailed, JobUse, ShellJob, started
from rdo.remote_sh.template import NEWLINE, fill, load, quote
from rdo.sync.path_word import PATH_LIMIT
from rdo.sync.push_job import STAT, calls, chunks, word

HASH = {"sha256sum": "sha256sum", "shasum": "shasum -a 256", "openssl": "openssl dgst -sha256 -r", "": "false"}
"""How to run each program that computes SHA-256. All print it in the same form."""

KINDS = {"f": "file", "l": "link", "d": "directory", "o": "other", "-": ""}

_EXAMINE = load("sync_examine", SET_NEWLINE=load("newline"))
_DIGEST = re.compile(rb"\\?([0-9a-f]{64}) [ *](.*)", re.DOTALL)
_ODD = re.compile(rb"[\\\n\r]")
"""Characters that make sha256sum escape a name."""


class Found(NamedTuple):
    """What there is at a path on the target."""

    kind: str
    """`file`, `link`, `directory`, `other`, or empty if there is nothing."""
    token: str = ""
    digest: str = ""
    """The digest of a file; empty if the target has no program to compute it."""
    link: bytes = b""


def one_line(path: bytes) -> bytes:
    """A path as a word in a line that the shell reads."""
    return word(path).replace(b"\n", b"'" + NEWLINE.encode() + b"'")


class Asking(NamedTuple):
    """How to examine a directory of a target."""

    directory: str
    stat: str
    hash: str


def examine(
    use: JobUse, asking: Asking, paths: Iterable[bytes], look: Callable[[], object], *, contents: bool = True
) -> dict[bytes, Found]:
    """Examine each path; with `contents`, also compute the digests of files. Raises LinkLost, ConnectError."""
    mark = os.urandom(8).hex()
    text = fill(_EXAMINE, DIRECTORY=quote(asking.directory), MARK=mark, STAT=STAT[asking.stat], HASH=HASH[asking.hash])
    ordered = sorted(paths)
    with started(use, text, look) as job:
        conversation = _Conversation(job, mark.encode())
        kinds = conversation.kinds(ordered)
        there = [path for path in ordered if kinds[path]]
        tokens = conversation.tokens(there)
        files = [path for path in there if kinds[path] == "file"] if contents else []
        digests = conversation.digests(files)
        links = conversation.links([path for path in there if kinds[path] == "link"])
    return {
        path: Found(kinds[path], tokens.get(path, ""), digests.get(path, ""), links.get(path, b"")) for path in ordered
    }


class _Conversation:
    """Sends questions to the script and reads its answers."""

    def __init__(self, job: ShellJob, mark: bytes) -> None:
        self._job = job
        self._mark = mark
        self._lines = job.lines()

    def _ask(self, questions: Sequence[bytes]) -> Iterator[list[bytes]]:
        """The answer to each question, as lines."""
        self._job.wait_for_writer()
        self._job.feed(questions, end=False)
        for _ in questions:
            answer: list[bytes] = []
            for line in self._lines:
                if line == self._mark + b".":
                    break
                answer.append(line)
            else:
                raise JobFailed("the target's shell exited early", self._job.reason())
            yield answer

    def kinds(self, paths: Sequence[bytes]) -> dict[bytes, str]:
        found: dict[bytes, str] = {}
        groups = list(chunks(map(one_line, paths)))
        rest = iter(paths)
        for group, answer in zip(groups, self._ask(list(calls(b"kinds", paths, one_line))), strict=True):
            letters = answer[0].removeprefix(self._mark + b"k ").decode("ascii", "replace") if answer else ""
            if len(answer) != 1 or len(letters) != len(group) or not set(letters) <= KINDS.keys():
                raise JobFailed("the target's shell did not report all that it was asked about", self._job.reason())
            found.update((next(rest), KINDS[letter]) for letter in letters)
        return found

    def tokens(self, paths: Sequence[bytes]) -> dict[bytes, str]:
        found: dict[bytes, str] = {}
        rest = iter(paths)
        groups = list(chunks(map(one_line, paths)))
        for group, answer in zip(groups, self._ask(list(calls(b"tokens", paths, one_line))), strict=True):
            if len(answer) != len(group) + 1:
                raise JobFailed("the target's `stat` did not report all that it was asked about", self._job.reason())
            found.update((next(rest), line[2:].decode("ascii", "replace")) for line in answer[1:])
        return found

    def digests(self, paths: Sequence[bytes]) -> dict[bytes, str]:
        """The digests of those files that could be read."""
        plain = [path for path in paths if not _ODD.search(path)]
        odd = [path for path in paths if _ODD.search(path)]
        found: dict[bytes, str] = {}
        wanted = set(plain)
        for answer in self._ask(list(calls(b"digests", plain, one_line))):
            for match in filter(None, map(_DIGEST.fullmatch, answer)):
                path = match[2].removeprefix(b"./")
                if path in wanted:
                    found[path] = match[1].decode()
        for path, answer in zip(odd, self._ask([b"digest %s\n" % one_line(path) for path in odd]), strict=True):
            if said := _DIGEST.match(b"".join(answer[1:])):
                found[path] = said[1].decode()
        return found

    def links(self, paths: Sequence[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        rest = iter(paths)
        for answer in self._ask(list(calls(b"links", paths, one_line))):
            for text in b"".join(line + b"\n" for line in answer).split(self._mark + b"l\n")[1:]:
                found[next(rest)] = text.removesuffix(b"\n")[:PATH_LIMIT]
        return found
