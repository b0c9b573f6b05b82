"""The lifeline: signals for process groups on the target, and their end when the connection is lost. PROTOCOL.md."""

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
"""Seconds that a command waits for the lifeline before it starts: as a rule both get ready at the same time. If only
the lifeline is late, the command starts, and is guarded as soon as the lifeline is ready."""

SHORT_LIFE_LIMIT = 1.0
"""Seconds that a lifeline has to last to be replaced at once; one that ends sooner is replaced when it is needed."""

ANSWER_TIMEOUT = 2.0
"""Seconds for the shell to answer that it has sent a signal: one that somebody has stopped never does. On a connection
that is merely slow, this costs another shell; orders that were answered meanwhile are not sent again."""


class Lifeline:
    """One more shell on a connection, that takes orders. If there can be none, commands run without it.

    Nobody holds its lock while a shell is opened: what is ordered meanwhile waits for the shell.
    """

    def __init__(self, open_shell: Callable[[], Shell]) -> None:
        """`open_shell` may raise ChannelRefused, ConnectError and LinkLost."""
        self._open_shell = open_shell
        self._changed = threading.Condition()
        """Guards all that follows. It is held while an order is handed to the connection, which bounds that."""
        self._shell: Shell | None = None
        self._began = 0.0
        self._ended: list[Shell] = []
        """Shells that were replaced: until they are closed, they show a driver that the connection was cut."""
        self._listed: set[ProcessGroup] = set()
        self._waiting: list[Order] = []
        """Orders for the shell that is being opened."""
        self._unanswered: deque[Order] = deque()
        """Orders to send a signal that the shell has not confirmed, in their order."""
        self._unanswered_since = 0.0
        """When it confirmed one last, or got the first of these."""
        self._watching = False
        self._opening = False
        self._had_one = False
        self._closed = False

    def start(self) -> None:
        """Open it, beside whatever else is done. Raises SetupError."""
        with self._changed:
            self._begin()

    def guard(self, groups: Iterable[ProcessGroup], instead_of: Iterable[ProcessGroup] = ()) -> None:
        """From now on, end the groups if the connection is lost, and leave others alone. Waits until it is ready, if it
        is being opened.
        """
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
        """Look at the group while its leader is there, so that it can be signalled later; it is not to be ended."""
        with self._changed:
            self._replace_ended()
            self._order(order.know(group))

    def leave(self, groups: Iterable[ProcessGroup]) -> None:
        """From now on leave the groups alone."""
        with self._changed:
            groups = list(groups)
            self._listed.difference_update(groups)
            self._order(*map(order.drop, groups))

    def signal(self, group: ProcessGroup, name: str) -> bool:
        """Send the signal (a name without SIG) to the group. False if there is no shell to do that."""
        with self._changed:
            self._replace_ended()
            return self._order(order.kill(group, name))

    def is_left(self, group: ProcessGroup) -> bool:
        """Whether a process of the group may still be there; False, too, if there is nobody who could end it."""
        asked = order.kill(group, "0")
        with self._changed:
            self._replace_ended()
            if not self._order(asked):
                return False
            self._changed.wait_for(lambda: asked.reached is not None or self._closed, ANSWER_TIMEOUT)
            return asked.reached is not False

    def retire(self) -> None:
        """From now on, do not replace it when it ends: the connection is about to be closed."""
        with self._changed:
            self._closed = True
            ended, self._ended = self._ended, []
        for shell in ended:
            shell.channel.close()

    def close(self) -> None:
        """End it for good: what is still listed ends too."""
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
                return False  # the shell over there notices that, too, and ends what it has listed
            self._expect_answers([each for each in orders if each.is_answered])
        return True

    def _expect_answers(self, orders: list[Order]) -> None:
        if orders and not self._unanswered:
            self._unanswered_since = time.monotonic()
        self._unanswered += orders
        if self._unanswered and not self._watching:
            with contextlib.suppress(SetupError):
                threads.start(self._watch, name="answers", broken=self._watch_no_more)
                self._watching = True

    def _replace_ended(self) -> None:
        """Open it again if it alone has ended: somebody killed it, or only its channel was closed."""
        if self._had_one and (self._shell is None or self._shell.channel.ended):
            self._begin()

    def _begin(self) -> None:
        if not self._opening and not self._closed:
            threads.start(self._hold, name="lifeline")
            self._opening = True

    # In threads of their own

    def _watch_no_more(self, _: BaseException) -> None:
        """The thread has failed: the next order starts another one."""
        with self._changed:
            self._watching = False

    def _watch(self) -> None:
        """See that each order to send a signal is answered; else have another shell do that."""
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
        """Open the shell, again when it has ended, and count its answers."""
        while (shell := self._open()) is not None:
            try:
                self._hear(shell)
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
        """Nobody would hear its answers any more: close it, and nothing that it has listed ends with it."""
        with self._changed:
            if self._shell is shell:
                self._order(*map(order.drop, self._listed))
        shell.channel.close()

    def _hear(self, shell: Shell) -> None:
        """Count its answers until it ends."""
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
                self._unanswered.clear()  # if there is no other shell, they are given up
                if shell is not None and not closed:
                    before, self._shell, self._had_one = self._shell, shell, True
                    self._began = time.monotonic()
                    # One that was only stopped is never to wake up: it would end what it has listed.
                    stopped = (
                        [order.kill(before.group, "KILL")] if before is not None and not before.channel.ended else []
                    )
                    with log.contained(), contextlib.ExitStack() as undo:
                        undo.callback(shell.channel.close)  # nothing would be guarded
                        self._order(*stopped, *map(order.add, self._listed), *unanswered, *waiting)
                        undo.pop_all()
                self._changed.notify_all()
        if shell is not None and closed:
            shell.channel.close()
        return shell if not closed else None

    def _open_with_orders(self) -> Shell:
        """A shell that runs the lifeline's script: any other would run orders as commands."""
        shell = self._open_shell()
        with contextlib.ExitStack() as undo:
            undo.callback(shell.channel.close)
            shell.channel.write(LIFELINE.encode() + b"\n")
            undo.pop_all()
        return shell
