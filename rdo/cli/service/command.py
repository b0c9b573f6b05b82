"""`rdoctl service`: has systemd or launchd listen for commands and start the control master. Never required."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import click

from rdo.cli import masters
from rdo.cli.command_group import CommandGroup
from rdo.cli.service import units
from rdo.client import spawn_master
from rdo.errors import RdoError, one_line, reason
from rdo.ipc import address, startup
from rdo.master import socket_activation
from rdo.util import atomic_write
from rdo.util.lines import split_lines

MANAGER_TIMEOUT = 60.0
"""Seconds for systemctl or launchctl, which only start or stop a process."""


NOT_NEEDED = "a service is not needed: commands start the control master themselves"


class Manager(Protocol):
    """Whatever manages services of a user on this system."""

    @property
    def is_installed(self) -> bool:
        """Whether any of the service's files exists."""

    def install(self, command: list[str], path: str) -> None:
        """Listen at `path` from now on, and start `command` when a client connects. Raises RdoError, OSError."""

    def uninstall(self) -> bool:
        """Undo the installation. Returns whether there was one. Raises RdoError, OSError."""

    def status(self) -> str:
        """A phrase that says what is installed."""


class Systemd(NamedTuple):
    """The user's systemd. `directory` is where its units are."""

    directory: str

    @property
    def _files(self) -> list[str]:
        return [os.path.join(self.directory, name) for name in (units.SOCKET_UNIT, units.SERVICE_UNIT)]

    @property
    def is_installed(self) -> bool:
        """See Manager."""
        return any(map(os.path.lexists, self._files))

    def install(self, command: list[str], path: str) -> None:
        """See Manager. Leaves no unit behind if systemd does not run for this user."""
        written = _write(self.directory, units.systemd_units(command))
        try:
            self._systemctl("daemon-reload")
            self._systemctl("enable", "--now", units.SOCKET_UNIT)
        except RdoError:
            _remove(written)
            raise

    def uninstall(self) -> bool:
        """See Manager. Running commands continue, and so does their control master."""
        if not self.is_installed:
            return False
        self._systemctl("disable", "--now", units.SOCKET_UNIT)
        _remove(self._files)
        self._systemctl("daemon-reload")
        return True

    def status(self) -> str:
        """See Manager."""
        path = os.path.join(self.directory, units.SOCKET_UNIT)
        if not os.path.exists(path):
            return "not installed"
        done = _run(["systemctl", "--user", "is-active", units.SOCKET_UNIT])
        return f"installed in {path}; the socket is {done.stdout.strip() or 'unknown'}"

    def _systemctl(self, *words: str) -> None:
        _check(["systemctl", "--user", *words])


class Launchd(NamedTuple):
    """The user's launchd. `directory` is where its agents are."""

    directory: str

    @property
    def _file(self) -> str:
        return os.path.join(self.directory, f"{socket_activation.LAUNCHD_LABEL}.plist")

    @property
    def is_installed(self) -> bool:
        """See Manager."""
        return os.path.lexists(self._file)

    @property
    def _domain(self) -> str:
        return f"gui/{os.getuid()}"

    def install(self, command: list[str], path: str) -> None:
        """See Manager."""
        label, socket = socket_activation.LAUNCHD_LABEL, socket_activation.LAUNCHD_SOCKET
        if os.path.exists(self._file):
            self._bootout()
        text = units.launchd_agent(label, socket, command, path)
        written = _write(self.directory, {os.path.basename(self._file): text})
        try:
            _check(["launchctl", "bootstrap", self._domain, self._file])
        except RdoError:
            _remove(written)
            raise

    def uninstall(self) -> bool:
        """See Manager."""
        if not self.is_installed:
            return False
        self._bootout()
        _remove([self._file])
        return True

    def status(self) -> str:
        """See Manager."""
        if not os.path.exists(self._file):
            return "not installed"
        done = _run(["launchctl", "print", f"{self._domain}/{socket_activation.LAUNCHD_LABEL}"])
        return f"installed in {self._file}; the agent is {'not ' if done.returncode else ''}loaded"

    def _bootout(self) -> None:
        _run(["launchctl", "bootout", f"{self._domain}/{socket_activation.LAUNCHD_LABEL}"])  # fails if it is not loaded


@click.group("service", cls=CommandGroup)
def command() -> None:
    """Have systemd or launchd start the control master.

    This is optional: the first command starts the control master by itself. With a service, the socket exists from the
    login on, and systemd or launchd starts the control master when a command connects.
    """


@command.command("install")
def install() -> None:
    """Install the service for your user, and start listening."""
    manager, directory = _manager(os.environ), address.runtime_directory(os.environ)
    path = address.socket_path(directory)
    if isinstance(manager, Systemd) and directory != os.path.join(os.environ.get("XDG_RUNTIME_DIR", ""), "rdo"):
        why = f"commands would use `{path}`"
        raise RdoError(
            "cannot install a service without XDG_RUNTIME_DIR", why, "log in directly, instead of using `su` or `sudo`"
        )
    _end_masters(directory)
    manager.install(spawn_master.python(startup.ENTRY), path)
    click.echo(one_line(f"listening at {path}; commands start the control master through it"))
    if isinstance(manager, Launchd) and path.startswith("/tmp/"):
        click.echo("macOS clears /tmp when it starts: set XDG_RUNTIME_DIR to another directory to keep the service")


@command.command("uninstall")
def uninstall() -> None:
    """Remove the service. Running commands continue."""
    manager = _manager(os.environ)
    if manager.is_installed:
        _end_masters(address.runtime_directory(os.environ))
    click.echo("uninstalled" if manager.uninstall() else "not installed")


@command.command("status")
def status() -> None:
    """Show whether the service is installed and listening."""
    click.echo(one_line(_manager(os.environ).status()))


def _end_masters(directory: str) -> None:
    """Let running masters end after their commands: later commands use another socket, and would never use their
    connections.
    """
    for master in masters.found(directory):
        masters.stop(master, now=False)


def _manager(environ: Mapping[str, str]) -> Manager:
    home = environ.get("HOME", "")
    if sys.platform == "darwin":
        return Launchd(os.path.join(home, "Library", "LaunchAgents"))
    if shutil.which("systemctl"):
        config = environ.get("XDG_CONFIG_HOME", "")
        base = config if config.startswith("/") else os.path.join(home, ".config")
        return Systemd(os.path.join(base, "systemd", "user"))
    why = "there is neither systemd nor launchd"
    raise RdoError("cannot manage a service", why, NOT_NEEDED)


def _write(directory: str, files: Mapping[str, str]) -> list[str]:
    os.makedirs(directory, exist_ok=True)
    for name, text in files.items():
        atomic_write.write(os.path.join(directory, name), text, 0o644)
    return [os.path.join(directory, name) for name in files]


def _remove(paths: list[str]) -> None:
    for path in paths:
        if os.path.lexists(path):
            os.unlink(path)


def _check(command: list[str]) -> None:
    done = _run(command)
    if done.returncode:
        why = next(iter(split_lines(done.stderr.strip())), f"status {done.returncode}")
        raise RdoError(f"`{' '.join(command[:3])}` failed", why, NOT_NEEDED)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=MANAGER_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = reason(error) if isinstance(error, OSError) else f"no answer after {MANAGER_TIMEOUT:.0f} s"
        raise RdoError(f"cannot run `{command[0]}`", why, NOT_NEEDED) from None
