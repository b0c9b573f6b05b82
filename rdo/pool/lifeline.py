"""The lifeline sends signals to groups on the target, and ends these if the connection is lost. See PROTOCOL.md."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

from rdo.drivers.base import STDOUT, ChannelRefused
from rdo.errors import ConnectError, LinkLost, SetupError
from rdo.pool import order
from rdo.pool.order import Order
from rdo.pool.shell import ProcessGroup, Shell
from rdo.remote_sh.render import LIFELINE
from rdo.util import log, threads

OPENING_TIMEOUT = 5.0
"""Seconds that a command waits for the lifeline before it starts; usually both get ready at the same time. If only the
lifeline is late, the command starts, and is guarded as soon as the lifeline is ready."""

SHORT_LIFE_LIMIT = 1.0
"""Seconds that a lifeline must have lasted to be replaced at once; otherwise it is replaced when needed."""

ANSWER_TIMEOUT = 2.0
"""Seconds for the shell to confirm that it has sent a signal; one that somebody has stopped never does. On a connection
that is merely slow, this costs a second shell. Orders that were confirmed meanwhile are not sent again."""


class Lifeline:
    """A further shell on a connection, which executes orders. If it cannot be opened, commands run without it.

    Its lock is not held while a shell is opened; orders given meanwhile wait for the shell.
    """

    def __init__(self, open_shell: Callable[[], Shell]) -> None:
        """`open_shell` may raise ChannelRefused, ConnectError and LinkLost."""
        self._open_shell = open_shell
        self._changed = threading.Condition()
        """Guards everything below. Held while an order is handed to the connection, in bounded time."""
        self._shell: Shell | None = None
        self._began = 0.0
        self._ended: list[Shell] = []
        """Shells that were replaced. Until these are closed, a driver can tell by them that the connection was cut."""
        self._listed: set[ProcessGroup] = set()
        self._waiting: list[Order] = []
        """Orders for the shell that is being opened."""
        self._unanswered: deque[Order] = deque()
        """Orders to send a signal that the shell has not confirmed yet, oldest first."""
        self._unanswered_since = 0.0
        """When the shell last confirmed one, or was given the first of these."""
        self._watching = False
        self._opening = False
        self._had_one = False
        self._closed = False

    def start(self) -> None:
        """Start opening the shell, in the background. Raises SetupError."""
        with self._changed:
            self._begin()

    def guard(self, groups: Iterable[ProcessGroup], instead_of: Iterable[ProcessGroup] = ()) -> None:
        """From now on, end these groups if the connection is lost, but not those `instead_of`. Waits for an opening
        lifeline."""
        with self._changed:
            dropped = list(instead_of)
            self._listed.difference_update(dropped)
            added = [group for group in groups if group not in self._listed]
            self._listed.update(added)
            self._replace_ended()
            if self._shell is not None:
                self._order(*map(order.drop, dropped), *map(order.add, added))
            self._changed.wait_for(lambda: not self._opening, OPENING_TIMEOUT)
            ended, self._ended = self._ended, []
        for shell in ended:
            shell.channel.close()

    def know(self, group: ProcessGroup) -> None:
        """Record the group while its leader is running, so that it can be signalled later. It will not be ended."""
        with self._changed:
            self._replace_ended()
            self._order(order.know(group))

    def leave(self, groups: Iterable[ProcessGroup]) -> None:
        """Stop guarding the groups."""
        with self._changed:
            groups = list(groups)
            self._listed.difference_update(groups)
            self._order(*map(order.drop, groups))

    def signal(self, group: ProcessGroup, name: str) -> bool:
        """Send the signal (a name without SIG) to the group. Returns False if there is no shell to do so."""
        with self._changed:
            self._replace_ended()
            return self._order(order.kill(group, name))

    def is_left(self, group: ProcessGroup) -> bool:
        """Whether a process of the group may still be running. Also False if there is no shell that could end it."""
        asked = order.kill(group, "0")
        with self._changed:
            self._replace_ended()
            if not self._order(asked):
                return False
            self._changed.wait_for(lambda: asked.reached is not None or self._closed, ANSWER_TIMEOUT)
            return asked.reached is not False

    def retire(self) -> None:
        """Do not replace the shell when it ends, since the connection is about to be closed."""
        with self._changed:
            self._closed = True
            ended, self._ended = self._ended, []
        for shell in ended:
            shell.channel.close()

    def close(self) -> None:
        """Close the lifeline for good, which also ends the groups that it guards."""
        self.retire()
        with self._changed:
            shell, self._shell = self._shell, None
        if shell is not None:
            shell.channel.close()

    def _order(self, *orders: Order) -> bool:
        if self._opening:
            self._waiting += orders
        elif self._shell is None or self._shell.channel.ended:
            return False
        elif orders:
            try:
                self._shell.channel.write("".join(f"{each.line}\n" for each in orders).encode())
            except LinkLost:
                return False  # the shell on the target notices that, too, and ends the groups that it guards
            self._expect_answers([each for each in orders if each.is_answered])
        return True

    def _expect_answers(self, orders: list[Order]) -> None:
        if orders and not self._unanswered:
            self._unanswered_since = time.monotonic()
        self._unanswered += orders
        if self._unanswered and not self._watching:
            with contextlib.suppress(SetupError):
                threads.start(self._watch, name="answers", broken=self._watch_failed)
                self._watching = True

    def _replace_ended(self) -> None:
        """Open the shell again if it alone has ended, because somebody killed it or closed its channel."""
        if self._had_one and (self._shell is None or self._shell.channel.ended):
            self._begin()

    def _begin(self) -> None:
        if not self._opening and not self._closed:
            threads.start(self._hold, name="lifeline")
            self._opening = True

    # In background threads

    def _watch_failed(self, _: BaseException) -> None:
        """Forget the watching thread, which has failed. The next order starts another one."""
        with self._changed:
            self._watching = False

    def _watch(self) -> None:
        """Make sure that each order to send a signal is confirmed, or repeated to another shell."""
        with self._changed:
            while self._unanswered and not self._closed:
                left = self._unanswered_since + ANSWER_TIMEOUT - time.monotonic()
                if left <= 0 and not self._opening:
                    with contextlib.suppress(SetupError):
                        self._begin()
                self._changed.wait(left if left > 0 else ANSWER_TIMEOUT)
            self._watching = False

    def _take_answers(self, shell: Shell, answers: list[bytes]) -> None:
        with self._changed:
            if self._shell is shell:
                for answer in answers[: len(self._unanswered)]:
                    self._unanswered.popleft().reached = answer == b"0"
                self._unanswered_since = time.monotonic()
                self._changed.notify_all()

    def _hold(self) -> None:
        """Open the shell, re-open it when it has ended, and process its answers."""
        while (shell := self._open()) is not None:
            try:
                self._read_answers(shell)
            except Exception as error:
                log.crash(error)
                self._dismiss(shell)
            with self._changed:
                self._ended.append(shell)
                if self._shell is not shell:
                    return
                self._shell = None
                self._opening = not self._closed and time.monotonic() - self._began > SHORT_LIFE_LIMIT
                if not self._opening:
                    return

    def _dismiss(self, shell: Shell) -> None:
        """Close a shell whose answers nobody will read any more, such that the groups that it guards are not ended."""
        with self._changed:
            if self._shell is shell:
                self._order(*map(order.drop, self._listed))
        shell.channel.close()

    def _read_answers(self, shell: Shell) -> None:
        """Process the shell's answers until it ends."""
        rest = b""
        while (chunk := shell.channel.read()) is not None:
            if chunk.stream == STDOUT:
                *answers, rest = (rest + chunk.data).split(b"\n")
                self._take_answers(shell, answers)

    def _open(self) -> Shell | None:
        shell = None
        try:
            shell = self._open_with_orders()
        except (ChannelRefused, ConnectError, LinkLost):
            pass  # commands run without it
        finally:
            with self._changed:
                self._opening = False
                closed, waiting, self._waiting = self._closed, self._waiting, []
                unanswered = list(self._unanswered)
                self._unanswered.clear()  # if there is no other shell, they are dropped
                if shell is not None and not closed:
                    before, self._shell, self._had_one = self._shell, shell, True
                    self._began = time.monotonic()
                    # A shell that was only stopped must never continue: it would end the groups that it guards.
                    stopped = (
                        [order.kill(before.group, "KILL")] if before is not None and not before.channel.ended else []
                    )
                    with log.contained(), contextlib.ExitStack() as undo:
                        undo.callback(shell.channel.close)  # without its orders, it guards nothing
                        self._order(*stopped, *map(order.add, self._listed), *unanswered, *waiting)
                        undo.pop_all()
                self._changed.notify_all()
        if shell is not None and closed:
            shell.channel.close()
        return shell if not closed else None

    def _open_with_orders(self) -> Shell:
        """Open a shell that runs the lifeline's script. A shell without that script would run orders as commands."""
        shell = self._open_shell()
        with contextlib.ExitStack() as undo:
            undo.callback(shell.channel.close)
            shell.channel.write(LIFELINE.encode() + b"\n")
            undo.pop_all()
        return shell
