"""Whoever waits for a target, as the drivers see it: an environment, and a terminal for questions and reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class CallerGone(Exception):
    """The caller has gone away: nobody waits for the connection any more."""


class Caller(Protocol):
    """Whoever waits for a connection, usually the client of a command. All methods may raise CallerGone."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The caller's environment: PATH, HOME, SSH_AUTH_SOCK, DOCKER_HOST and so on."""

    @property
    def process(self) -> int:
        """The caller's process id; 0 if it is unknown."""

    @property
    def user(self) -> str:
        """The user that a driver which `switches_user` should run the command as; empty for the target's default."""

    def ask(self, question: str, *, echo: bool) -> str | None:
        """The answer typed on the caller's terminal, without its newline; None if there is no terminal."""

    def screen(self) -> tuple[int, int] | None:
        """Rows and columns of the caller's terminal; None if there is none. Drops earlier input."""

    def report(self, line: str) -> None:
        """Print a line on the caller's stderr immediately."""

    def progress(self, step: str) -> bool:
        """Show the current step, until the next step or the start of the command. Returns False if that is not
        possible, in which case `report` should explain what takes long."""

    def trace(self, line: str) -> None:
        """Print a line on the caller's stderr if it asked for details (`rdo -v`)."""


def show_step(caller: Caller, step: str) -> None:
    """Show whoever waits what takes long: as progress or, if that is not possible, as a line."""
    if not caller.progress(step):
        caller.report(f"rdo: {step}")
