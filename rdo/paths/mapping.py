"""Maps local paths to remote ones by pairs of directories that both sides see. Pure: touches no file system.

Paths are absolute text, with `surrogateescape` for bytes that are not UTF-8.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rdo.drivers.root import Root
from rdo.errors import RdoError

_NAMED = re.compile(r"--?[A-Za-z0-9][\w.+-]*(?::[A-Za-z]+)?=|-W[alp],|[A-Za-z_]\w*=")
"""A prefix that a value or a list may follow: `--opt=`, cmake's `-DNAME:TYPE=`, `NAME=`, and `-Wl,` of compilers."""

_ATTACHED = re.compile(r"--?[A-Za-z][\w.+-]*:|-[A-Za-z]")
"""A prefix that a path, or a list beginning with one, may follow directly: `-I`, `-javaagent:`."""

_PATH = re.compile(r"@?(?=/)")
"""The start of a path, perhaps after `@`, which marks a file to be read."""

_SEPARATOR = re.compile(r"[:;,]")

_SEDS = re.compile(r"[smy],")
"""A substitution with commas (`s,/a,/b,`), which is not a list."""


UnmappedError = Callable[[str], RdoError | None]
"""A driver's own error for a directory that is below no root; see drivers.base."""


class MappedArgument(NamedTuple):
    """An argument as it was typed, and as the target receives it."""

    typed: str
    arrives: str


class PathMapping:
    """Pairs of local and remote roots. The longest local root that contains a path applies."""

    def __init__(self, roots: Iterable[Root]) -> None:
        self.roots: Sequence[Root] = sorted(roots, key=lambda root: len(root.local), reverse=True)

    def to_remote(self, path: str) -> str | None:
        """The remote path of an absolute local path; None if it is below no root."""
        root = self._root(path)
        return None if root is None else _join(root.remote, _below(root.local, path) or "")

    def _root(self, path: str) -> Root | None:
        return next((root for root in self.roots if _below(root.local, path) is not None), None)

    def directory(self, pwd: str, cwd: str, unmapped_error: UnmappedError = lambda directory: None) -> str:
        """The remote directory for a working directory: looked up first as the shell shows it, then as the physical
        path.

        Raises RdoError that names the roots, since any other directory than the matching one would be wrong.
        `unmapped_error` lets the driver provide a better message.
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
        """The argument with local paths in it replaced: `/x`, `--opt=/x`, `-I/x`, `@/x`, `NAME=/x`, and lists of these
        separated by `:`, `;` or `,`.

        Never replaces anything in the middle of a word, or that is not below a root.
        """
        named = _NAMED.match(word)
        if named and not _SEDS.match(word, named.end()):
            return named[0] + self._list(word[named.end() :], has_names=named[0].endswith(","))
        attached = None if _PATH.match(word) else _ATTACHED.match(word)
        start = attached.end() if attached else 0
        return word[:start] + self._list(word[start:]) if _PATH.match(word, start) else word

    def _list(self, text: str, has_names: bool = False) -> str:
        """Map the items of a list, each of which may be a path.

        After `;` and `,` an item may have a name of its own, such as `source=`. After `:`, an item is taken for a path
        only if the first item is one: otherwise the first is a host.
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
        """Where the item that begins at `start` ends: at a separator, unless that is part of a root's name."""
        roots = (root.local for root in self.roots if text.startswith(root.local, start))
        known = next((root for root in roots if text[start + len(root) :][:1] in ("", "/", ":", ";", ",")), "")
        found = _SEPARATOR.search(text, start + len(known))
        return found.start() if found else len(text)

    def arguments(self, words: Sequence[str]) -> list[MappedArgument]:
        """Each argument as it was typed, and as the target receives it."""
        return [MappedArgument(word, self.argument(word)) for word in words]

    def _one(self, path: str) -> str:
        leads_out = "/../" in path or path.endswith("/..")  # perhaps out of the root: only the file system could say
        remote = self.to_remote(path) if path.startswith("/") and not leads_out else None
        return path if remote is None else remote


def _below(root: str, path: str) -> str | None:
    """The rest of the path after the root: empty, or beginning with a slash; None if the path is elsewhere."""
    if root == "/":
        return "" if path == "/" else path
    if path == root or path.startswith(root + "/"):
        return path[len(root) :]
    return None


def _join(remote: str, below: str) -> str:
    return remote.rstrip("/") + below or "/"
