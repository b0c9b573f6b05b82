"""The new text of an editor's file, with its current text. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rdo.cli import shim

SHIMS = shim.DIRECTORIES[-1]
"""The directory of the shims, below the project's."""

Read = Callable[[str], str | None]
"""Returns the text of a file by its path, and None if there is none."""


class Draft(NamedTuple):
    """The text that a file should have. `kept` names values of the user's that were left as they are.

    `path` is absolute, or relative to the project's directory.
    """

    path: str
    text: str
    kept: tuple[str, ...] = ()


class Project(NamedTuple):
    """The `.rdo.conf`'s directory, absolute; how to read files in it; and whether values of the user's may be
    replaced."""

    root: str
    read: Read
    force: bool = False

    def shim(self, name: str) -> str:
        """The absolute path of a shim."""
        return f"{self.root}/{SHIMS}/{name}"


def whole(project: Project, path: str, text: str) -> Draft:
    """A file that is entirely rdo's. If it exists with another text, the user has changed it."""
    now = project.read(path)
    if now in (None, text) or project.force:
        return Draft(path, text)
    return Draft(path, str(now), (f"`{path}`, which differs",))
