"""A project whose files are pushed to a target: both of its directories, and what tests change in them."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.project import Project, Result

OWN = ".rdo-sync"
"""The name of rdo's own directory on the target."""


@dataclass(frozen=True)
class Synced:
    """`project.remote` is where the files are pushed. It is also on this machine, so that a test can examine it."""

    project: Project

    @property
    def here(self) -> Path:
        return self.project.local

    @property
    def there(self) -> Path:
        return self.project.remote

    def configure(self, extra: str) -> None:
        """Replace the lines that were added to the config file."""
        path = self.here / ".rdo.conf"
        base = path.read_text().partition("# more\n")[0]
        path.write_text(f'{base}# more\nsync = "push"\n{extra}')

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> Result:
        return self.project.run(*words, env=env)

    def ok(self, *words: str) -> str:
        """The output of a command that has to succeed, with nothing on stderr."""
        done = self.run(*words)
        assert (done.returncode, done.stderr) == (0, b""), done
        return done.stdout.decode()

    def rdoctl(self, *words: str) -> Result:
        return self.project.shell(shlex.join(["rdoctl", *words]))

    def sh(self, text: str) -> str:
        """Run a line of shell there."""
        return self.ok("-c", text)


def listing(top: Path) -> dict[str, tuple[object, ...]]:
    """Everything below a directory except rdo's own files: kinds, modes, times, contents."""
    found: dict[str, tuple[object, ...]] = {}
    for directory, names, files in os.walk(os.fsencode(top)):
        if OWN.encode() in names:
            names.remove(OWN.encode())
        for name in [*names, *files]:
            path = os.path.join(directory, name)
            info = os.lstat(path)
            key = os.fsdecode(os.path.relpath(path, os.fsencode(top)))
            if stat.S_ISLNK(info.st_mode):
                found[key] = ("link", os.readlink(path))
            elif stat.S_ISDIR(info.st_mode):
                found[key] = ("directory", stat.S_IMODE(info.st_mode))
            else:
                content = Path(os.fsdecode(path)).read_bytes()
                found[key] = ("file", stat.S_IMODE(info.st_mode), info.st_mtime_ns // 10**9, content)
    return found


def prepared(project: Project) -> Synced:
    """The project with sync, and an empty target."""
    shutil.rmtree(project.remote, ignore_errors=True)
    subprocess.run(["git", "init", "-q"], cwd=project.local, check=True)
    made = Synced(project)
    made.configure("")
    return made
