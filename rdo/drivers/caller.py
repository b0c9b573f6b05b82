"""Whoever waits for a target, as the drivers see it: an environment, and a terminal to ask and to report on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class CallerGone(Exception):
    """The caller has gone away: nobody waits for the connection any more."""


class Caller(Protocol):
    """Whoever waits for a connection: a command that was just typed. All methods may raise CallerGone."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The caller's environment: PATH, HOME, SSH_AUTH_SOCK, DOCKER_HOST as they were typed under."""

    @property
    def process(self) -> int:
        """The caller's process id; 0 where it is not known."""

    @property
    def user(self) -> str:
        """Whom a driver that `switches_user` is to run the command as; empty: as the target has it."""

    def ask(self, question: str, *, echo: bool) -> str | None:
        """The answer typed on the caller's terminal, without its newline; None where there is no terminal."""

    def screen(self) -> tuple[int, int] | None:
        """Rows and columns of the caller's terminal; None where there is none. What was typed before is dropped."""

    def report(self, line: str) -> None:
        """Print a line on the caller's stderr, at once."""

    def progress(self, step: str) -> bool:
        """Show what is going on, until the next step or the command's start. False if that cannot be shown, so that
        `report` should say what takes long."""

    def trace(self, line: str) -> None:
        """Print a line on the caller's stderr if it asked for details (`rdo -v`)."""


def show_step(caller: Caller, step: str) -> None:
    """Show what takes long to whoever waits: as progress, or as a line of its own where progress cannot be shown."""
    if not caller.progress(step):
        caller.report(f"rdo: {step}")
