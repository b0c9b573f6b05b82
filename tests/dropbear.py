"""dropbear as a server for tests: what small machines have, in ways of its own. On a free port of 127.0.0.1, for a user
who is made for the while, since it looks for keys in the user's home alone.
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
    """Why it cannot be run here; empty where it can."""
    return account.why_not() or ("" if shutil.which("dropbear", path=SBIN) else "dropbear is not installed")


class User(NamedTuple):
    """Whom its servers let in, and the home that has the list of keys for that."""

    name: str
    home: Path

    @property
    def authorized_keys(self) -> Path:
        """The list of keys."""
        return self.home / ".ssh" / "authorized_keys"


class Dropbear(SshServer):
    """One server. Sessions have what is in `environment`; `options` are of its command line."""

    program = "dropbear"
    accepted = "Pubkey auth succeeded"

    def __init__(self, directory: Path, user: User, options: Iterable[str] = ()) -> None:
        """Makes keys under `directory`; starts nothing."""
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
    """One that every user may write to. What pytest makes is closed to others."""
    with tempfile.TemporaryDirectory(prefix="rdo-", dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o777)
        yield directory


@contextlib.contextmanager
def user() -> Iterator[User]:
    """One with an empty list of keys, until the end of the context."""
    with open_folder() as home:
        home.chmod(0o755)
        with account.account(home) as name:
            found = User(name, home)
            found.authorized_keys.parent.mkdir(mode=0o700)
            found.authorized_keys.touch(mode=0o600)
            for path in (found.authorized_keys.parent, found.authorized_keys):
                shutil.chown(path, name)
            yield found
