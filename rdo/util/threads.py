"""The start of a thread of the control master: refused in words, and what it does not foresee is kept in the log."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rdo.errors import SetupError
from rdo.util import crash


def start(work: Callable[..., object], *arguments: object, name: str) -> threading.Thread:
    """Have `work` done in a daemon thread of that name. Raises SetupError where the system allows no further one."""
    thread = threading.Thread(target=_run, args=(work, *arguments), name=name, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError):
        raise refusal() from None
    return thread


def refusal() -> SetupError:
    """What to say where the system allows no further thread."""
    why = "the limit of processes or memory is reached"
    return SetupError("the control master cannot start a thread", why, "see `ulimit -a`")


def _run(work: Callable[..., object], *arguments: object) -> None:
    try:
        work(*arguments)
    except BaseException as error:
        crash.log(error)
