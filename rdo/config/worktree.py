"""Detects a git worktree whose `.rdo.conf` was written for its main checkout, so that `directory` is that one's. Does
not run git.

A committed `.rdo.conf` names one directory on the target, and git puts the same file into each worktree. A command
typed there would run on the files of another branch.
"""

from __future__ import annotations

import os
import posixpath
import re

from rdo.config.load import Config
from rdo.errors import ConfigError
from rdo.project import LOCAL_CONFIG, upwards
from rdo.util import foreign_file

GIT_FILE_LIMIT = 64 * 1024
"""Bytes of a worktree's `.git`, which contains a path."""

CONFIG_LIMIT = 1024 * 1024
"""Bytes of a config file to read."""

_GITDIR = r"gitdir: (.+)\n?"
_OF_WORKTREE = r"(.+)/\.git/worktrees/[^/\n]+"


def fault(config: Config) -> ConfigError | None:
    """What is wrong with using the `directory` of this config; None if nothing is.

    Only the `.rdo.conf` itself is checked: git does not copy `.rdo.local.conf`, so that one is for this worktree.
    """
    directory, origin = config.settings.directory, config.origins.get("directory")
    if directory is None or origin is None or origin.file != config.path:
        return None
    top = checkout(config.root)
    main = main_checkout(top) if top else None
    if top is None or main is None or not _names(os.path.join(main, os.path.relpath(config.path, top)), directory):
        return None
    why = f"`directory` is that of the main checkout `{main}`, and `{top}` is a git worktree of it"
    line = f'directory = "{suggestion(directory, top, main)}"'
    return origin.error(why, f"write the directory of this worktree into {LOCAL_CONFIG}: `{line}`; or use `--dir`")


def _names(path: str, directory: str) -> bool:
    """Whether the config file of the main checkout has that directory, too; assumed if it cannot be read."""
    try:
        return directory in foreign_file.read_text(path, CONFIG_LIMIT)
    except (OSError, ValueError):
        return True


def checkout(directory: str) -> str | None:
    """The nearest directory with a `.git`, which is `directory` or one of its parents."""
    return next((place for place in upwards(directory) if os.path.lexists(os.path.join(place, ".git"))), None)


def main_checkout(top: str) -> str | None:
    """The main checkout that `top` is a worktree of; None if it is not a worktree, or one of a bare repository."""
    found = re.fullmatch(_OF_WORKTREE, git_directory(top) or "")
    return found[1] if found else None


def git_directory(top: str) -> str | None:
    """Where the repository of a worktree or submodule is; None if it is in the directory itself, or there is none."""
    try:
        text = foreign_file.read_text(os.path.join(top, ".git"), GIT_FILE_LIMIT)
    except (OSError, ValueError):
        return None  # a directory: the main checkout itself
    found = re.fullmatch(_GITDIR, text)
    return os.path.normpath(os.path.join(top, found[1])) if found else None


def suggestion(directory: str, top: str, main: str) -> str:
    """Where the worktree would be on the target, if it had the same position relative to the main checkout as here."""
    return posixpath.normpath(posixpath.join(directory, os.path.relpath(top, main)))
