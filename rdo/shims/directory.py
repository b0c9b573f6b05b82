"""The directory of a project's shims that may be in PATH. It is in the user's own state directory, outside of any
clone.

What a repository brings along in `.rdo/bin`, now or with a later `git pull`, must not become a command in the user's
shell. So that directory is never put into PATH, but this one, which holds only what `rdoctl shim add` was given.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Mapping

from rdo.errors import SetupError, reason
from rdo.fscodec import fsencode
from rdo.util import atomic_write, foreign_file, private_directory

NAME_LIMIT = 24
"""Characters of the project's name in the directory's name, by which people recognise it in PATH."""

SIZE_LIMIT = 64 * 1024
"""Bytes to read of a shim, which has about two thousand."""


def base(environment: Mapping[str, str]) -> str:
    """The parent of the directories of all projects."""
    return private_directory.state_directory(environment, "shims")


class ShimPath:
    """The shims of one project. `root` is the directory of its `.rdo.conf`."""

    def __init__(self, root: str, environment: Mapping[str, str]) -> None:
        real = os.path.realpath(root)
        name = re.sub(r"[^\w.-]", "_", os.path.basename(real))[:NAME_LIMIT]
        self._base = base(environment)
        self.path = os.path.join(self._base, f"{name}-{hashlib.sha256(fsencode(real)).hexdigest()[:12]}")

    def make(self) -> None:
        """Create the directory, private to the user. Raises SetupError."""
        try:
            private_directory.make_state(self._base)
            private_directory.make(self.path)
            for path in (self._base, self.path):
                private_directory.check_private(path, os.lstat(path))
        except OSError as error:
            hint = "free disk space or fix its permissions"
            raise SetupError(f"cannot create `{self.path}`", reason(error), hint) from None

    def add(self, name: str, text: str) -> None:
        """Write a shim, replacing an existing one. Raises OSError."""
        atomic_write.write(os.path.join(self.path, name), text, 0o700)

    def remove(self, name: str) -> None:
        """Remove a shim, if it exists, and the directory together with the last shim."""
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(self.path, name))
        with contextlib.suppress(OSError):
            os.rmdir(self.path)

    def has(self, name: str, file: str) -> bool:
        """Whether the content of a file is exactly that of the shim of that name."""
        try:
            own = foreign_file.read(os.path.join(self.path, name), SIZE_LIMIT)
            return foreign_file.read(file, SIZE_LIMIT) == own
        except OSError:
            return False
