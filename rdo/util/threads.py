"""Starts a thread of the control master: a refusal is an error for the user, an unexpected exception is logged."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rdo.errors import SetupError
from rdo.util import log


def start(work: Callable[..., object], *arguments: object, name: str) -> threading.Thread:
    """Run `work` in a daemon thread of that name. Raises SetupError where the system allows no more threads."""
    thread = threading.Thread(target=_run, args=(work, *arguments), name=name, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError):
        raise refusal() from None
    return thread


def refusal() -> SetupError:
    """The error where the system allows no more threads."""
    why = "the limit on processes or memory has been reached"
    return SetupError("the control master cannot start a thread", why, "see `ulimit -a`")


def _run(work: Callable[..., object], *arguments: object) -> None:
    try:
        work(*arguments)
    except BaseException as error:
        log.crash(error)
