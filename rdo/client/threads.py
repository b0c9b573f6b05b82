"""Threads of the client, without `threading`, which takes long to load."""

from __future__ import annotations

import _thread

from rdo.errors import SetupError

TYPE_CHECKING = False  # like typing.TYPE_CHECKING, without the cost of importing typing
if TYPE_CHECKING:
    from collections.abc import Callable


def start(work: Callable[..., object], *arguments: object) -> None:
    """Run a function in a thread that ends with the process. Raises SetupError if the system allows no more threads."""
    try:
        _thread.start_new_thread(work, arguments)
    except RuntimeError:
        why = "the limit on processes or memory has been reached"
        raise SetupError("cannot start a thread", why, "see `ulimit -a`") from None
