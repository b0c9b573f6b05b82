"""One SSH connection on the wire: what a server may send, when, how much of it, and who gets it. Channels, logins and
host keys are elsewhere, and key exchange is in rdo.drivers.ssh.paramiko_adapter."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable

from paramiko import common
from paramiko.message import Message

from rdo.drivers.base import READ_SIZE
from rdo.drivers.ssh import messages
from rdo.drivers.ssh.algorithms import AlgorithmOffer
from rdo.drivers.ssh.break_words import is_unforeseen, words_for
from rdo.drivers.ssh.channel_table import ChannelHandler, ChannelTable
from rdo.drivers.ssh.fields import Violation, words
from rdo.drivers.ssh.known_hosts import HostKey
from rdo.drivers.ssh.monitored_stream import MonitoredStream
from rdo.drivers.ssh.outbox import MessageOutbox
from rdo.drivers.ssh.packet_content import Sendable
from rdo.drivers.ssh.packet_receiver import CHANNEL_MESSAGES
from rdo.drivers.ssh.paramiko_adapter import KeyExchange
from rdo.errors import LinkLost, reason
from rdo.util import log, threads

LOGIN_DATA_LIMIT = 4 * 1024 * 1024
"""Bytes that a server may send before the login is over, in any message: a banner of sshd's has at most a megabyte."""

MESSAGE_COST = 64
"""Bytes that an empty message counts as, since it costs time."""

REPLY_LIMIT = 256
"""Login messages that may wait while a question is on the user's terminal."""

Reply = tuple[int, bytes] | None
"""An answer to a login message: its type and body; None if the connection has ended."""


class SshTransport(KeyExchange):
    """Serves a connection in a thread of its own, queues login messages, and records when and why it ended."""

    def __init__(self, stream: MonitoredStream, offer: AlgorithmOffer, timeout: float) -> None:
        """Our version was already sent over `stream`. `timeout` (seconds) bounds the handshake."""
        super().__init__(stream, offer)
        self._stream = stream
        self._timeout = timeout
        self._allowance = LOGIN_DATA_LIMIT
        self.replies: queue.Queue[Reply] = queue.Queue()
        self.packetizer.receiver.handle = self._take
        self.open_channels = ChannelTable()
        self.outbox = MessageOutbox(self, self._lost)
        self.agreed = threading.Event()
        """Set when the first keys are agreed on, or never will be."""
        self.ended = threading.Event()
        self.disconnect_reason = ""
        """Why the connection ended, if the server said so or violated the protocol."""
        self.failure: Exception | None = None
        """The error that ended the connection."""
        self.debug = ""
        """The server's latest debug message."""
        self.server_extensions: dict[str, bytes] = {}
        self.version = ""
        """The server's version."""

    def handshake(self) -> HostKey:
        """Exchange keys, and return the host key or certificate. Raises SetupError, and whatever a server can cause."""
        self.packetizer.receiver.source.deadline = time.monotonic() + self._timeout
        self.active = True
        try:
            self.start()
        except (RuntimeError, MemoryError):
            raise threads.refusal() from None
        if not self.agreed.wait(self._timeout + 1):  # while the server does not accept what is sent
            self._give_up(Violation("it did not finish the key exchange in time"))
        if self.failure is not None:
            raise self.failure
        assert self.shown is not None
        return self.shown

    def is_openssh(self) -> bool:
        """Whether the server supports the extensions of OpenSSH."""
        return "OpenSSH" in self.version

    def request_channel(self, channel: ChannelHandler, kind: str = "session", details: bytes = b"") -> None:
        """Request a channel, and give it a number; `channel` gets the answer. Raises LinkLost."""
        self.open_channels.add(channel)
        if self.ended.is_set():  # the notice of the end to all channels may have preceded this one
            channel.lose()
        self.outbox.send(messages.open_channel(kind, channel.number, channel.window, READ_SIZE, details))

    def defer(self, act: Callable[[], None]) -> None:
        """Call the function when everything that has arrived was handled. To be called by this transport's thread."""
        self.packetizer.receiver.source.defer(act)

    def send_login(self, message: Sendable) -> None:
        """Send an authentication message. Raises EOFError, OSError, Violation."""
        with self.lock:
            self._send_message(message)

    def run(self) -> None:
        """Receive until the end, and then notify everyone who waits. Runs in a thread."""
        kind = 0
        try:
            self.remote_version = self.packetizer.receiver.source.version()  # type: ignore[assignment]  # its bytes are signed
            self.version = words(self.remote_version)  # type: ignore[arg-type]
            if self.version.split("-")[1] not in ("2.0", "1.99"):
                raise Violation(f"it uses SSH {self.version.split('-')[1]}, but rdo needs 2.0")
            self.begin_exchange()
            while self.active:
                kind, message = self.packetizer.receiver.read()
                self._handle(kind, message)
        except Exception as error:  # whatever a server can cause in paramiko and below it
            self._give_up(error, kind)
        finally:
            self._end()

    def _lost(self, error: Exception) -> LinkLost:
        self._give_up(error)
        return LinkLost("the connection is lost", self.disconnect_reason or reason(error))

    def _give_up(self, error: Exception, kind: int = 0) -> None:
        """Give up the connection. Only the first error is recorded."""
        if self.failure is None and self.active:
            self.failure = error
            if is_unforeseen(error):
                log.crash(error)
            self.disconnect_reason = self.disconnect_reason or words_for(error, kind)
        self.active = False
        self.packetizer.close()

    def _end(self) -> None:
        self.active = False
        self.failure = self.failure or EOFError()
        # in reverse order, and each even if another one raises, since somebody waits for it
        with contextlib.ExitStack() as last:
            last.callback(self.outbox.requests.lose)
            last.callback(self.open_channels.lose)
            last.callback(self.replies.put, None)
            last.callback(self.clear_to_send.set)
            last.callback(self.agreed.set)
            last.callback(self.ended.set)
            last.callback(self._stream.sign.end)
            last.callback(self.packetizer.close)

    # Messages from the server

    def _take(self, kind: int, number: int, body: bytes | memoryview) -> bool:
        """Handle a message for a channel, unless it is out of order, and return whether it was one."""
        return not self.is_exchanging and self.open_channels.hand(kind, number, body)

    def _handle(self, kind: int, message: Message) -> None:
        if kind in CHANNEL_MESSAGES and not self.is_exchanging:
            raise Violation(f"it sent message {kind} for a channel that does not exist")
        body = message.asbytes()
        if not self.authenticated:
            self._allowance -= MESSAGE_COST + len(body)
            if self._allowance < 0:
                raise Violation("it sent too much data before the login was complete")
        if kind == common.MSG_DISCONNECT:
            self.disconnect_reason = messages.disconnection(body)
            raise EOFError
        if kind in (common.MSG_IGNORE, common.MSG_DEBUG):
            self._note(kind, body)
        elif not self.take_exchange(kind, message):
            _HANDLERS.get(kind, SshTransport._reject)(self, kind, body)
        elif self.initial_kex_done:
            self.agreed.set()

    def _note(self, kind: int, body: bytes) -> None:
        """Handle a message that may arrive at any time and asks for nothing."""
        self.check_order(kind)
        if kind == common.MSG_DEBUG:
            self.debug = messages.debug_text(body)

    def _reject(self, kind: int, body: bytes) -> None:
        """Reject an unknown message."""
        self._send_message(messages.unimplemented((self.packetizer.receiver.sequence - 1) & 0xFFFFFFFF))

    def _extend(self, kind: int, body: bytes) -> None:
        self.server_extensions = messages.extensions(body)

    def _request(self, kind: int, body: bytes) -> None:
        if messages.global_request(body):
            self._send_message(messages.refuse_request())

    def _answered(self, kind: int, body: bytes) -> None:
        self.outbox.requests.answer(body if kind == common.MSG_REQUEST_SUCCESS else None)

    def _report(self, kind: int, body: bytes) -> None:
        if self.authenticated:
            self._reject(kind, body)
        elif self.replies.qsize() >= REPLY_LIMIT:
            raise Violation("it continued without waiting for a reply")
        else:
            if kind == common.MSG_USERAUTH_SUCCESS:
                self.begin_compression()
                # From now on, reads have no timeout. This thread sets that itself, while reading: Python changes a
                # socket's timeout in two steps, and lets other threads run in between, when a read without data would
                # fail.
                self._stream.settimeout(None)
            self.replies.put((kind, body))


_HANDLERS: dict[int, Callable[[SshTransport, int, bytes], None]] = {
    common.MSG_SERVICE_ACCEPT: SshTransport._report,
    common.MSG_USERAUTH_BANNER: SshTransport._report,
    common.MSG_USERAUTH_FAILURE: SshTransport._report,
    common.MSG_USERAUTH_INFO_REQUEST: SshTransport._report,
    common.MSG_USERAUTH_SUCCESS: SshTransport._report,
    common.MSG_REQUEST_SUCCESS: SshTransport._answered,
    common.MSG_REQUEST_FAILURE: SshTransport._answered,
    # Some servers support no global requests; we send nothing else that a server may not know.
    common.MSG_UNIMPLEMENTED: SshTransport._answered,
    common.MSG_EXT_INFO: SshTransport._extend,
    common.MSG_GLOBAL_REQUEST: SshTransport._request,
    common.MSG_CHANNEL_OPEN: lambda transport, _, body: transport.open_channels.answer(body, transport._send_message),
}
