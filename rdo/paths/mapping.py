"""Local paths to remote paths, by pairs of directories that both sides see. Pure: looks at no file system.

Paths are absolute text, with `surrogateescape` for bytes that are not UTF-8.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rdo.drivers.root import Root
from rdo.errors import RdoError

_NAMED = re.compile(r"--?[A-Za-z0-9][\w.+-]*(?::[A-Za-z]+)?=|-W[alp],|[A-Za-z_]\w*=")
"""What a value, or a list, follows: `--opt=`, cmake's `-DNAME:TYPE=`, `NAME=`, and `-Wl,` of compilers."""

_ATTACHED = re.compile(r"--?[A-Za-z][\w.+-]*:|-[A-Za-z]")
"""What a path, or a list that begins with one, follows: `-I`, `-javaagent:`."""

_PATH = re.compile(r"@?(?=/)")
"""What may stand before a path: the mark of a file that is to be read."""

_SEPARATOR = re.compile(r"[:;,]")

_SEDS = re.compile(r"[smy],")
"""A substitution with commas (`s,/a,/b,`) is not a list."""


UnmappedError = Callable[[str], RdoError | None]
"""A driver's own error for a directory that no root holds: see drivers.base."""


class MappedArgument(NamedTuple):
    """An argument as it was typed and as it arrives."""

    typed: str
    arrives: str


class PathMapping:
    """Pairs of local and remote roots; the longest local root that holds a path wins."""

    def __init__(self, roots: Iterable[Root]) -> None:
        self.roots: Sequence[Root] = sorted(roots, key=lambda root: len(root.local), reverse=True)

    def to_remote(self, path: str) -> str | None:
        """Where an absolute local path is on the target; None if no root holds it."""
        root = self._root(path)
        return None if root is None else _join(root.remote, _below(root.local, path) or "")

    def _root(self, path: str) -> Root | None:
        return next((root for root in self.roots if _below(root.local, path) is not None), None)

    def directory(self, pwd: str, cwd: str, unmapped_error: UnmappedError = lambda directory: None) -> str:
        """The remote directory for a working directory: as the shell shows it first, then the physical path.

        Raises RdoError that names the roots: any directory but the matching one would be the wrong one. The
        driver's `unmapped_error` may have better words for it.
        """
        found = [(path, root) for path in (pwd, cwd) if (root := self._root(path))]
        for path, root in found:
            if root.shared:
                return _join(root.remote, _below(root.local, path) or "")
        for path, root in found:
            hint = f"`--dir {self.to_remote(path)}` runs in the target's directory"
            raise RdoError(f"`{pwd}` is not the directory that the target has there", root.note, hint)
        raise unmapped_error(pwd) or self._elsewhere(pwd)

    def _elsewhere(self, pwd: str) -> RdoError:
        roots = ", ".join(f"`{root.local}`" for root in self.roots if root.shared)
        why = f"only directories in {roots} are" if roots else "no directory is"
        return RdoError(f"`{pwd}` is not on the target", why, "`cd` there, or use `--dir REMOTE`")

    def argument(self, word: str) -> str:
        """An argument with the local paths in it rewritten: `/x`, `--opt=/x`, `-I/x`, `@/x`, `NAME=/x`, and lists of
        them with `:`, `;` and `,`.

        Never in the middle of a word, and nothing that is not below a root.
        """
        named = _NAMED.match(word)
        if named and not _SEDS.match(word, named.end()):
            return named[0] + self._list(word[named.end() :], has_names=named[0].endswith(","))
        attached = None if _PATH.match(word) else _ATTACHED.match(word)
        start = attached.end() if attached else 0
        return word[:start] + self._list(word[start:]) if _PATH.match(word, start) else word

    def _list(self, text: str, has_names: bool = False) -> str:
        """The items, each a path or not.

        After `;` and `,` an item may have a name of its own, such as `source=`. After `:` it is a path if the first of
        these is one: else that is a host.
        """
        done, position, separator, has_paths = "", 0, "", False
        named = _NAMED.match(text) if has_names else None
        while True:
            marked = _PATH.match(text, named.end() if named else position)
            if separator != ":":
                has_paths = marked is not None
            begin = marked.end() if marked else position
            end = self._end(text, begin)
            path = text[begin:end]
            done += text[position:begin] + (self._one(path) if has_paths else path)
            if end == len(text):
                return done
            separator, position = text[end], end + 1
            done += separator
            named = None if separator == ":" else _NAMED.match(text, position)

    def _end(self, text: str, start: int) -> int:
        """Where the item that starts there ends: at a separator, but for one in the name of a root."""
        roots = (root.local for root in self.roots if text.startswith(root.local, start))
        known = next((root for root in roots if text[start + len(root) :][:1] in ("", "/", ":", ";", ",")), "")
        found = _SEPARATOR.search(text, start + len(known))
        return found.start() if found else len(text)

    def arguments(self, words: Sequence[str]) -> list[MappedArgument]:
        """Each argument as typed and as it arrives."""
        return [MappedArgument(word, self.argument(word)) for word in words]

    def _one(self, path: str) -> str:
        leads_out = "/../" in path or path.endswith("/..")  # perhaps out of the root: only the file system knows
        remote = self.to_remote(path) if path.startswith("/") and not leads_out else None
        return path if remote is None else remote


def _below(root: str, path: str) -> str | None:
    """What follows the root: empty, or with a slash before it; None if the path is elsewhere."""
    if root == "/":
        return "" if path == "/" else path
    if path == root or path.startswith(root + "/"):
        return path[len(root) :]
    return None


def _join(remote: str, below: str) -> str:
    return remote.rstrip("/") + below or "/"
