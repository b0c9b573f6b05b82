"""dropbear as a server for tests, since small machines have it, and it differs from OpenSSH.

It listens on a free port of 127.0.0.1 for a temporary user, because it looks for keys only in the user's home
directory.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests import account
from tests.ssh_server import SshServer

SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/local/sbin"


def why_not() -> str:
    """Why dropbear cannot be run here; empty if it can."""
    return account.why_not() or ("" if shutil.which("dropbear", path=SBIN) else "dropbear is not installed")


class User(NamedTuple):
    """The user whom the servers let in, with the home directory that contains the list of keys."""

    name: str
    home: Path

    @property
    def authorized_keys(self) -> Path:
        """The path of the list of keys."""
        return self.home / ".ssh" / "authorized_keys"


class Dropbear(SshServer):
    """A server. `environment` is for its sessions; `options` are for its command line."""

    program = "dropbear"
    accepted = "Pubkey auth succeeded"

    def __init__(self, directory: Path, user: User, options: Iterable[str] = ()) -> None:
        """Create keys in `directory`, without starting the server."""
        super().__init__(directory, user.authorized_keys, user.name)
        self.options = list(options)

    def _command(self) -> tuple[list[str], dict[str, str]]:
        program = shutil.which("dropbear", path=SBIN)
        assert program
        words = [program, "-F", "-E", "-e", "-m", "-s", "-p", f"127.0.0.1:{self.port}"]
        for key in self.host_keys:
            own = key.with_name(f"{key.name}_dropbear")
            convert = ["dropbearconvert", "openssh", "dropbear", str(key), str(own)]
            subprocess.run(convert, check=True, capture_output=True)
            words += ["-r", str(own)]
        return [*words, "-P", str(self.directory / "pid"), *self.options], self.environment


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """Create a directory that every user can write to, unlike those that pytest creates."""
    with tempfile.TemporaryDirectory(prefix="rdo-", dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o777)
        yield directory


@contextlib.contextmanager
def user() -> Iterator[User]:
    """Create a user with an empty list of keys, until the end of the context."""
    with open_folder() as home:
        home.chmod(0o755)
        with account.account(home) as name:
            found = User(name, home)
            found.authorized_keys.parent.mkdir(mode=0o700)
            found.authorized_keys.touch(mode=0o600)
            for path in (found.authorized_keys.parent, found.authorized_keys):
                shutil.chown(path, name)
            yield found
