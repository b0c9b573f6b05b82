"""One SSH connection on the wire: paramiko's Transport as rdo needs it. Channels, logins and host keys live elsewhere.

What paramiko leaves out or does otherwise is overridden here, each with its reason.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Protocol

from paramiko.channel import Channel
from paramiko.common import (
    MSG_SERVICE_ACCEPT,
    MSG_USERAUTH_BANNER,
    MSG_USERAUTH_FAILURE,
    MSG_USERAUTH_INFO_REQUEST,
    MSG_USERAUTH_SUCCESS,
)
from paramiko.message import Message
from paramiko.ssh_exception import SSHException
from paramiko.transport import Transport

from rdo.drivers.algorithms import KEY_EXCHANGES, Offer
from rdo.drivers.base import READ_SIZE
from rdo.drivers.channel_data import Input, Sendable
from rdo.drivers.dial import GREETING
from rdo.drivers.heartbeat import HeardSocket
from rdo.drivers.host_proof import prove
from rdo.drivers.known_hosts import HostKey
from rdo.drivers.packets import Packets
from rdo.drivers.ssh_messages import keepalive, open_session
from rdo.errors import LinkLost

WINDOW = 4 * 1024 * 1024
"""Bytes a target may send before they are read: what a slow reader costs in memory. On loopback 2 to 16 MiB are equally
fast; 4 MiB carry 80 MB/s over a round trip of 50 ms."""

NEVER = 1 << 62
"""paramiko's own rekey can end a busy connection (paramiko#822): sshd starts rekeys, and those go well."""

KEX_INFO: dict[str, Any] = Transport._kex_info  # type: ignore[attr-defined]

KEX_ABLE = tuple(name for name in KEY_EXCHANGES if name in KEX_INFO or name == "curve25519-sha256")
"""Key exchanges that this installation can do: for mlkem768x25519 cryptography has to be new."""

LOGIN_MESSAGES = (
    MSG_SERVICE_ACCEPT,
    MSG_USERAUTH_BANNER,
    MSG_USERAUTH_FAILURE,
    MSG_USERAUTH_INFO_REQUEST,
    MSG_USERAUTH_SUCCESS,
)

Reply = tuple[int, Message] | None
"""An answer to a login message: its type and body; None when the connection has ended."""


class Session(Protocol):
    """What a link expects of a session channel."""

    number: int
    """Ours, which the link gives it."""

    def receive(self, kind: int, body: bytes | memoryview) -> None:
        """Take a message for this channel: its number, and what stands behind the channel's; of data, nothing else."""

    def lose(self) -> None:
        """The link has ended."""


class Link(Transport):
    """A Transport that prefers AES-GCM, reports login messages in a queue, and tells when and why it ended.

    paramiko knows nothing of its session channels: their messages never reach it.
    """

    _kex_info = MappingProxyType({**KEX_INFO, "curve25519-sha256": KEX_INFO["curve25519-sha256@libssh.org"]})
    _preferred_keys: tuple[str, ...]
    host_key_type: str
    H: bytes
    _expected_packet: tuple[int, ...]
    _channel_counter: int
    _handler_table: dict[int, Callable[[Message], None]]
    active: bool
    packetizer: Packets
    server_extensions: dict[str, bytes]
    _send_user_message: Callable[[Any], None]
    _send_message: Callable[[Any], None]
    _set_forward_agent_handler: Callable[[Callable[[Channel], None]], None]
    _auth_trigger: Callable[[], None]

    def __init__(self, wire: HeardSocket, offer: Offer, timeout: float) -> None:
        """`wire` has been greeted. `timeout` (seconds) bounds each step of the handshake."""
        super().__init__(
            wire,  # type: ignore[arg-type]
            default_window_size=WINDOW,
            default_max_packet_size=READ_SIZE,
            packetizer_class=Packets,
        )
        self._preferred_keys = offer.host_keys
        self._preferred_kex = offer.key_exchanges
        self._preferred_ciphers = offer.ciphers
        self._preferred_macs = offer.macs
        self._preferred_compression = offer.compression
        self.shown: HostKey | None = None
        """The key or certificate that the server has proved to have."""
        self.banner_timeout = self.handshake_timeout = timeout
        self.local_version = GREETING
        setattr(self.packetizer, "write_all", self._have_greeted)  # noqa: B010  (which no stub lets be assigned)
        for name in ("REKEY_BYTES", "REKEY_PACKETS", "REKEY_BYTES_OVERFLOW_MAX", "REKEY_PACKETS_OVERFLOW_MAX"):
            setattr(self.packetizer, name, NEVER)
        self.replies: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        self.packetizer.take = self._take
        self.sessions: dict[int, Session] = {}
        self.ended = threading.Event()
        self.farewell = ""
        """The words of the server's disconnect message, if there was one."""
        for kind in LOGIN_MESSAGES:
            self._handler_table[kind] = self._reporter(kind)

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """Without the host certificates that paramiko adds where nobody asked for them."""
        return self._preferred_keys

    def _verify_key(self, host_key: bytes, signature: bytes) -> None:
        """As paramiko has it, and calls it, in each key exchange. Raises SSHException."""
        try:
            shown = prove(self.host_key_type, host_key, signature, self.H)
        except ValueError as error:
            raise SSHException(f"it does not prove its host key: {error}") from error
        if self.shown not in (None, shown):
            raise SSHException("it came up with another host key on the way")
        self.shown = shown

    def is_openssh(self) -> bool:
        """Whether the server knows the extensions of OpenSSH."""
        return "OpenSSH" in self.remote_version

    def ask_session(self, channel: Session) -> None:
        """Ask for a session channel and number it; the answer reaches `channel`. Raises LinkLost."""
        with self.lock:
            channel.number = self._next_channel()
            self.sessions[channel.number] = channel
        if self.ended.is_set():  # its last word to all channels may have come before this one was among them
            channel.lose()
        self.send(open_session(channel.number, WINDOW, READ_SIZE))

    def defer(self, act: Callable[[], None]) -> None:
        """Do it when all that has come so far is worked through. To be called by who works, this link's thread."""
        self.packetizer.defer(act)

    def drop(self, number: int) -> None:
        """Forget a channel that both sides have closed."""
        self.sessions.pop(number, None)

    def send(self, message: Sendable | Input) -> None:
        """Send it, after a running key exchange. Raises LinkLost."""
        try:
            if not self._send_unless_busy(message):
                self._send_user_message(message)
        except (EOFError, OSError, SSHException) as error:
            raise LinkLost("the connection is lost", self.farewell or str(error)) from error
        if not self.active:  # paramiko drops it in silence then
            raise LinkLost("the connection is lost", self.farewell)

    def _send_unless_busy(self, message: Sendable | Input) -> bool:
        """Send it if no key exchange is running, which is nearly always: paramiko's way takes three times as long."""
        with self.clear_to_send_lock:
            clear = self.active and self.clear_to_send.is_set()
            if clear:
                self._send_message(message)
            return clear

    def send_login(self, message: Message) -> None:
        """Send a message of the authentication."""
        with self.lock:
            self._send_message(message)

    def take_agent_streams(self, handler: Callable[[Channel], None]) -> None:
        """Let the server open streams to our SSH agent."""
        self._set_forward_agent_handler(handler)

    def logged_in(self) -> None:
        """The server let us in."""
        self._auth_trigger()

    def ping(self) -> None:
        """Ask the server for a sign of life. May block while the link does. Raises LinkLost."""
        self.send(keepalive())

    def run(self) -> None:
        """paramiko's reading thread, and the word to all who wait when it ends."""
        try:
            super().run()
        finally:
            self.packetizer.complete_handshake()  # its timer thread would live on for `handshake_timeout`
            self.ended.set()
            self.replies.put(None)
            for channel in list(self.sessions.values()):
                channel.lose()

    def _take(self, kind: int, number: int, body: bytes | memoryview) -> bool:
        """Take a message for a channel, if it is a session channel's, and none comes out of order: whether it was."""
        if self._expected_packet:
            return False
        session = self.sessions.get(number)
        if session is not None:
            session.receive(kind, body)
            return True
        return number < self._channel_counter and number not in self.channels_seen  # one that was dropped: so is this

    def _next_channel(self) -> int:
        """As paramiko has it, and calls it: a number that is not in use."""
        while (number := super()._next_channel()) in self.sessions:  # type: ignore[misc]
            pass
        return int(number)

    def _have_greeted(self, greeting: bytes) -> None:
        """What paramiko writes first has been sent already."""
        delattr(self.packetizer, "write_all")

    def _reporter(self, kind: int) -> Callable[[Message], None]:
        return lambda message: self.replies.put((kind, message))

    def _parse_disconnect(self, message: Message) -> None:
        message.get_int()
        self.farewell = message.get_text()


def silence() -> None:
    """Keep paramiko's log from the process's stderr: rdo reports what it has to say itself."""
    log = logging.getLogger("paramiko")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    log.setLevel(logging.CRITICAL + 1)
