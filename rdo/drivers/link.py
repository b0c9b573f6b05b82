"""One SSH connection on the wire: paramiko's Transport as rdo needs it. Channels, logins and host keys live elsewhere.

What paramiko leaves out or does otherwise is overridden here, each with its reason.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from paramiko.channel import Channel
from paramiko.common import (
    MSG_CHANNEL_CLOSE,
    MSG_CHANNEL_DATA,
    MSG_CHANNEL_EOF,
    MSG_CHANNEL_EXTENDED_DATA,
    MSG_CHANNEL_FAILURE,
    MSG_CHANNEL_OPEN_FAILURE,
    MSG_CHANNEL_REQUEST,
    MSG_CHANNEL_SUCCESS,
    MSG_CHANNEL_WINDOW_ADJUST,
    MSG_SERVICE_ACCEPT,
    MSG_USERAUTH_BANNER,
    MSG_USERAUTH_FAILURE,
    MSG_USERAUTH_INFO_REQUEST,
    MSG_USERAUTH_SUCCESS,
)
from paramiko.message import Message
from paramiko.ssh_exception import SSHException
from paramiko.transport import ChannelMap, Transport

from rdo.drivers.base import READ_SIZE
from rdo.drivers.dial import GREETING
from rdo.drivers.heartbeat import HeardSocket
from rdo.drivers.packets import Input, Packets, Sendable
from rdo.drivers.ssh_messages import keepalive, open_session
from rdo.errors import LinkLost

WINDOW = 4 * 1024 * 1024
"""Bytes a target may send before they are read: what a slow reader costs in memory. On loopback 2 to 16 MiB are equally
fast; 4 MiB carry 80 MB/s over a round trip of 50 ms."""

NEVER = 1 << 62
"""paramiko's own rekey can end a busy connection (paramiko#822): sshd starts rekeys, and those go well."""

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
    """What a link expects of a channel; the names are those by which paramiko calls its own Channel."""

    def _set_remote_channel(self, chanid: int, window_size: int, max_packet_size: int) -> None: ...
    def _unlink(self) -> None: ...
    def opened_not(self, code: int, reason: str) -> None: ...

    number: int


class Link(Transport):
    """A Transport that prefers AES-GCM, reports login messages in a queue, and tells when and why it ended."""

    _preferred_ciphers = (  # paramiko prefers CTR, which is a third as fast; what is left out is CBC with 3DES
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
        "aes128-cbc",
        "aes256-cbc",
    )
    _preferred_keys: tuple[str, ...]
    _channels: ChannelMap
    _handler_table: dict[int, Callable[[Message], None]]
    active: bool
    packetizer: Packets
    server_extensions: dict[str, bytes]
    _next_channel: Callable[[], int]
    _send_user_message: Callable[[Any], None]
    _send_message: Callable[[Any], None]
    _set_forward_agent_handler: Callable[[Callable[[Channel], None]], None]
    _auth_trigger: Callable[[], None]

    _channel_handler_table: ClassVar[dict[int, Callable[[Any, Message], None]]] = {
        MSG_CHANNEL_SUCCESS: lambda channel, message: channel._request_success(message),
        MSG_CHANNEL_FAILURE: lambda channel, message: channel._request_failed(message),
        MSG_CHANNEL_DATA: lambda channel, message: channel._feed(message),
        MSG_CHANNEL_EXTENDED_DATA: lambda channel, message: channel._feed_extended(message),
        MSG_CHANNEL_WINDOW_ADJUST: lambda channel, message: channel._window_adjust(message),
        MSG_CHANNEL_REQUEST: lambda channel, message: channel._handle_request(message),
        MSG_CHANNEL_EOF: lambda channel, message: channel._handle_eof(message),
        MSG_CHANNEL_CLOSE: lambda channel, message: channel._handle_close(message),
    }
    """By name, not by function as paramiko has it, so that a channel may be of another class than its own."""

    def __init__(self, wire: HeardSocket, key_types: tuple[str, ...], timeout: float) -> None:
        """`wire` has been greeted. `key_types`: the host key algorithms wanted first. `timeout` (seconds) bounds each
        step of the handshake.
        """
        super().__init__(
            wire,  # type: ignore[arg-type]
            default_window_size=WINDOW,
            default_max_packet_size=READ_SIZE,
            packetizer_class=Packets,
        )
        self._preferred_keys = (*key_types, *(name for name in self._preferred_keys if name not in key_types))
        self.banner_timeout = self.handshake_timeout = timeout
        self.local_version = GREETING
        setattr(self.packetizer, "write_all", self._have_greeted)  # noqa: B010  (which no stub lets be assigned)
        for name in ("REKEY_BYTES", "REKEY_PACKETS", "REKEY_BYTES_OVERFLOW_MAX", "REKEY_PACKETS_OVERFLOW_MAX"):
            setattr(self.packetizer, name, NEVER)
        self.replies: queue.SimpleQueue[Reply] = queue.SimpleQueue()
        self.sessions: dict[int, Session] = {}  # paramiko's own table holds weak references only
        self.ended = threading.Event()
        self.farewell = ""
        """The words of the server's disconnect message, if there was one."""
        self._install_handlers()

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """Without the host certificates that paramiko adds: it takes them without checking who signed them."""
        return self._preferred_keys

    def is_openssh(self) -> bool:
        """Whether the server knows the extensions of OpenSSH."""
        return "OpenSSH" in self.remote_version

    def ask_session(self, channel: Session) -> None:
        """Ask for a session channel and number it; the answer reaches `channel`. Raises LinkLost."""
        with self.lock:
            channel.number = self._next_channel()
            self._channels.put(channel.number, channel)  # type: ignore[arg-type]
            self.channels_seen[channel.number] = True
            self.sessions[channel.number] = channel
        if self.ended.is_set():  # its last word to all channels may have come before this one was among them
            channel._unlink()
        self.send(open_session(channel.number, WINDOW, READ_SIZE))

    def defer(self, act: Callable[[], None]) -> None:
        """Do it when all that has come so far is worked through. To be called by who works, this link's thread."""
        self.packetizer.defer(act)

    def drop(self, number: int) -> None:
        """Forget a channel that both sides have closed."""
        self._channels.delete(number)
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
                channel._unlink()

    def _have_greeted(self, greeting: bytes) -> None:
        """What paramiko writes first has been sent already."""
        delattr(self.packetizer, "write_all")

    def _install_handlers(self) -> None:
        for kind in LOGIN_MESSAGES:
            self._handler_table[kind] = self._reporter(kind)
        self._handler_table[MSG_CHANNEL_OPEN_FAILURE] = self._refuse_channel

    def _reporter(self, kind: int) -> Callable[[Message], None]:
        return lambda message: self.replies.put((kind, message))

    def _refuse_channel(self, message: Message) -> None:
        channel = self._channels.get(message.get_int())
        code, reason = message.get_int(), message.get_text()
        if hasattr(channel, "opened_not"):
            channel.opened_not(code, reason)
        else:
            message.rewind()
            self._parse_channel_open_failure(message)  # type: ignore[attr-defined]

    def _parse_disconnect(self, message: Message) -> None:
        message.get_int()
        self.farewell = message.get_text()


def silence() -> None:
    """Keep paramiko's log from the process's stderr: rdo reports what it has to say itself."""
    log = logging.getLogger("paramiko")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    log.setLevel(logging.CRITICAL + 1)
