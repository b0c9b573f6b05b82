"""A directory, an environment and an rdo for the benchmarks. None of the user's own files are read or changed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command import BenchmarkError, Command
from benchmarks.install import TREE, install

STOP_TIMEOUT = 30.0
"""Seconds for `rdoctl stop --all`, which waits up to 4 s for each master."""


@dataclass(frozen=True)
class Project:
    """A directory with a `.rdo.conf`, and the user's variables."""

    directory: Path
    environment: Mapping[str, str]

    def command(self, *words: str) -> Command:
        """A command to run in this directory. Its program is looked up in PATH."""
        program = shutil.which(words[0], path=self.environment["PATH"])
        if program is None:
            raise BenchmarkError(f"`{words[0]}` is not installed")
        return Command((program, *words[1:]), self.directory, self.environment)


class Workspace:
    """Everything that the measurements share."""

    def __init__(self, root: Path) -> None:
        """Installs rdo. Raises BenchmarkError."""
        self.root = root
        names = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME")
        for name in names:
            self.private(name).mkdir(mode=0o700)
        programs = install(root / "venv")
        self.fallback = _fallback(root / "fallback", programs)
        """The directory of the client in Python, which is used if there is no compiler."""
        self.environment = {
            **{name: str(self.private(name)) for name in names},
            "LANG": "C.UTF-8",
            "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "RDO_TRUST": "1",
            "TERM": "xterm",
        }

    def private(self, name: str) -> Path:
        """The directory for a variable. Its name is short, since it may contain sockets."""
        return self.root / name.replace("XDG_", "").lower()

    def directory(self, name: str) -> Path:
        """Create a directory below the root."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.root))

    def project(self, name: str, config: str, **variables: str) -> Project:
        """Create a project with this config, and with these variables in addition to the usual ones."""
        directory = self.directory(name)
        directory.chmod(0o755)  # the user of a machine that shares it has to read it
        (directory / ".rdo.conf").write_text(config)
        return Project(directory, {**self.environment, **variables})

    def allow(self, project: Project) -> None:
        """Allow the project's config and Vagrantfile, as a user has to do once."""
        self.rdoctl("allow", "--yes", project=project)

    def rdoctl(self, *words: str, project: Project | None = None) -> str:
        """The output of rdoctl, run in the project's directory if one is given. Raises BenchmarkError."""
        done = subprocess.run(
            [str(self.root / "venv" / "bin" / "rdoctl"), *words],
            cwd=project.directory if project else self.root,
            env=project.environment if project else self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=STOP_TIMEOUT,
            check=False,
            text=True,
        )
        if done.returncode != 0:
            raise BenchmarkError(f"`rdoctl {' '.join(words)}`: {done.stderr.strip()}")
        return done.stdout

    def stop_masters(self) -> None:
        """End all masters, and wait until they are gone."""
        self.rdoctl("stop", "--all", "--now")

    def master_pid(self) -> int:
        """The process ID of the only master."""
        masters = json.loads(self.rdoctl("status", "--json"))
        if len(masters) != 1 or not isinstance(masters[0].get("pid"), int):
            raise BenchmarkError(f"there should be one control master: {masters}")
        pid: int = masters[0]["pid"]
        return pid


def _fallback(directory: Path, programs: Path) -> Path:
    directory.mkdir()
    (directory / "rdo").write_text((TREE / "bin" / "rdo").read_text())
    (directory / "rdo").chmod(0o755)
    (directory / "rdo-client").symlink_to(programs / "rdo-client")
    return directory


@contextlib.contextmanager
def workspace() -> Iterator[Workspace]:
    """Create a workspace. At the end, its masters are ended and its directory is removed.

    It is in /tmp, because the path of a socket is limited to 104 bytes. Other users may enter it, because sshd reads
    key files as them.
    """
    root = Path(tempfile.mkdtemp(prefix="rdo-b-", dir="/tmp"))
    root.chmod(0o711)
    try:
        made = Workspace(root)
        try:
            yield made
        finally:
            made.stop_masters()
    finally:
        shutil.rmtree(root, ignore_errors=True)
