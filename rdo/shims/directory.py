"""The directory of a project's shims that may stand in PATH: in the user's own state directory, beside no clone.

What a repository brings along in `.rdo/bin`, now or with a later `git pull`, must not become a command of the user's
shell. So PATH never has that directory, but this one, which holds what `rdoctl shim add` was given, and nothing else.
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
"""Characters of the project's name that are in the directory's: for people, who meet it in PATH."""

SIZE_LIMIT = 64 * 1024
"""Bytes of a shim; it has two thousand."""


def base(environment: Mapping[str, str]) -> str:
    """What holds the directories of all projects."""
    return private_directory.state_directory(environment, "shims")


class ShimPath:
    """The shims of one project. `root` is the directory of its `.rdo.conf`."""

    def __init__(self, root: str, environment: Mapping[str, str]) -> None:
        real = os.path.realpath(root)
        name = re.sub(r"[^\w.-]", "_", os.path.basename(real))[:NAME_LIMIT]
        self._base = base(environment)
        self.path = os.path.join(self._base, f"{name}-{hashlib.sha256(fsencode(real)).hexdigest()[:12]}")

    def make(self) -> None:
        """Have the directory there, for the user alone. Raises SetupError."""
        try:
            private_directory.make_state(self._base)
            private_directory.make(self.path)
            for path in (self._base, self.path):
                private_directory.check_private(path, os.lstat(path))
        except OSError as error:
            hint = "free disk space or fix its permissions"
            raise SetupError(f"cannot create `{self.path}`", reason(error), hint) from None

    def add(self, name: str, text: str) -> None:
        """Write a shim, in the place of one that is there. Raises OSError."""
        atomic_write.write(os.path.join(self.path, name), text, 0o700)

    def remove(self, name: str) -> None:
        """Remove a shim, if there is one, and the directory with the last one."""
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(self.path, name))
        with contextlib.suppress(OSError):
            os.rmdir(self.path)

    def has(self, name: str, file: str) -> bool:
        """Whether a file is, byte for byte, the shim of that name."""
        try:
            own = foreign_file.read(os.path.join(self.path, name), SIZE_LIMIT)
            return foreign_file.read(file, SIZE_LIMIT) == own
        except OSError:
            return False
