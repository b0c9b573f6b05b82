"""The queue of what is to be sent over an SSH connection: in order, not during a key exchange, and with small pieces
joined."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable

from paramiko.ssh_exception import SSHException

from rdo.drivers.ssh.fields import Violation
from rdo.drivers.ssh.global_requests import Answered, GlobalRequests
from rdo.drivers.ssh.packet_content import OutgoingData, Sendable
from rdo.drivers.ssh.paramiko_adapter import EXCHANGE_TIMEOUT, KeyExchange
from rdo.errors import LinkLost

SMALL = 4096
"""Bytes of data that may wait for more, so that a single system call sends them."""

HELD_LIMIT = 64
"""Most pieces of data that may wait."""

FAILURES = (EOFError, OSError, SSHException, Violation)

_Waiting = tuple["Sendable | OutgoingData", "Answered | None", "Callable[[], bool] | None"]
"""The arguments of `send`."""


class MessageOutbox:
    """The outbox of a connection. Thread-safe. The lock and the state of the key exchange are paramiko's."""

    def __init__(self, exchange: KeyExchange, lost: Callable[[Exception], LinkLost]) -> None:
        """`lost` gives up the connection for that reason."""
        self._exchange = exchange
        self._lost = lost
        self._waiting: deque[_Waiting] = deque()
        """Only the thread that holds `clear_to_send_lock` takes from it."""
        self.requests = GlobalRequests()

    def send(
        self,
        message: Sendable | OutgoingData,
        answered: Answered | None = None,
        unless: Callable[[], bool] | None = None,
    ) -> None:
        """Send what is waiting and then this message, after a current key exchange. Raises LinkLost.

        `answered` is for the answer to a global request. `unless` returns whether the message must not follow what was
        sent by then.
        """
        self._waiting.append((message, answered, unless))
        self._send_waiting()

    def hold(self, data: OutgoingData, unless: Callable[[], bool]) -> None:
        """Queue data, to be sent before the next message, or by `flush`. Never raises."""
        self._waiting.append((data, None, unless))
        if len(data.content) > SMALL or len(self._waiting) > HELD_LIMIT:
            self.flush()

    def flush(self) -> None:
        """Send what is waiting. Never raises: if the connection is lost, every channel learns of it."""
        if self._waiting:
            with contextlib.suppress(LinkLost):
                self._send_waiting()

    def try_send(self, message: Sendable, answered: Answered) -> None:
        """Send a global request, unless another thread is sending, or keys are being exchanged. Raises LinkLost."""
        exchange = self._exchange
        if not exchange.clear_to_send_lock.acquire(blocking=False):
            return
        try:
            if exchange.active and exchange.clear_to_send.is_set():
                self._waiting.append((message, answered, None))
                self._send_now()
        except FAILURES as error:
            raise self._lost(error) from error
        finally:
            exchange.clear_to_send_lock.release()

    def _send_waiting(self) -> None:
        exchange = self._exchange
        try:
            while True:
                with exchange.clear_to_send_lock:
                    if not exchange.active:
                        raise EOFError
                    if exchange.clear_to_send.is_set():  # which it is except during key exchanges
                        self._send_now()
                        return
                if not exchange.clear_to_send.wait(EXCHANGE_TIMEOUT):
                    raise Violation("it did not finish a key exchange that it began")
        except FAILURES as error:
            raise self._lost(error) from error

    def _send_now(self) -> None:
        """Send everything that is waiting, which may be nothing if another thread has sent it. Call with the lock
        held."""
        messages = []
        while self._waiting:
            message, answered, unless = self._waiting.popleft()
            if unless is None or not unless():
                messages.append(message)
                if answered:
                    self.requests.add(answered)
        if messages:
            self._exchange.packetizer.sender.send_all(messages)
