"""The directory where a login on the target starts, which `~` in a root stands for. The target is asked once."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rdo.drivers.base import STDOUT, ChannelOptions
from rdo.drivers.caller import Caller
from rdo.drivers.root import Root
from rdo.errors import ConnectError
from rdo.fscodec import fsdecode
from rdo.pool.shell_pool import ShellPool
from rdo.remote_sh.script import Script
from rdo.remote_sh.template import load
from rdo.util.lines import strip_blanks

ANSWER_TIMEOUT = 30.0
"""Seconds for a shell that is ready to print a variable."""

ANSWER_LIMIT = 4096
"""Bytes of an answer: PATH_MAX on Linux."""

ASK = Script(command=("/bin/sh", "-c", load("print_home")), has_input=False)


class LoginDirectory:
    """The login directory of one target. Thread-safe; two threads may ask at once, and get the same answer."""

    def __init__(self, shells: ShellPool, target: str) -> None:
        """`target` is the name for error messages."""
        self._shells = shells
        self._target = target
        self._known = ""

    def resolved(self, roots: Sequence[Root], caller: Caller) -> Sequence[Root]:
        """The roots, each with an absolute path on the target. Raises ConnectError."""
        if not any(root.remote.startswith("~") for root in roots):
            return roots
        self._known = self._known or self._ask(caller)
        return [root.below(self._known) for root in roots]

    def _ask(self, caller: Caller) -> str:
        answer, deadline = b"", time.monotonic() + ANSWER_TIMEOUT
        with self._shells.lease(caller, ChannelOptions) as lease:
            lease.shell.start(ASK)
            try:
                while chunk := lease.shell.channel.read(max(0.0, deadline - time.monotonic())):
                    if len(answer) > ANSWER_LIMIT:
                        break
                    answer += chunk.data if chunk.stream == STDOUT else b""
            except TimeoutError:
                answer = b""
        found = strip_blanks(fsdecode(answer))
        if not found.startswith("/") or len(answer) > ANSWER_LIMIT:
            hint = "set `directory` to an absolute path"
            what = f"cannot determine the login directory on `{self._target}`"
            raise ConnectError(what, "HOME is not set there", hint)
        return found
