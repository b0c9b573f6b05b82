"""Channel messages to and from the server (RFC 4254, sections 5 and 6) as bytes. Pure."""

from __future__ import annotations

import struct
from typing import NamedTuple

from paramiko.common import (
    MSG_CHANNEL_CLOSE,
    MSG_CHANNEL_EOF,
    MSG_CHANNEL_FAILURE,
    MSG_CHANNEL_OPEN,
    MSG_CHANNEL_REQUEST,
    MSG_CHANNEL_WINDOW_ADJUST,
    MSG_GLOBAL_REQUEST,
)

from rdo.drivers.base import Pty, WindowSize

SIGNALS = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "FPE": 8, "KILL": 9,
    "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15,
}  # fmt: skip
"""Numbers of the signals that RFC 4254 names, as Linux has them; others reach us without a name."""

Body = bytes | memoryview
"""Of a message from the server, behind the number of our channel. One that is cut off raises struct.error."""


class Packet(NamedTuple):
    """A message that is whole already: all that paramiko's packetizer wants of it is its bytes."""

    payload: bytes

    def asbytes(self) -> bytes:
        """The bytes to send."""
        return self.payload


def open_session(number: int, window: int, packet: int) -> Packet:
    """Ask for a session channel, to be called `number` on our side."""
    return Packet(bytes([MSG_CHANNEL_OPEN]) + _text("session") + struct.pack(">III", number, window, packet))


def keepalive() -> Packet:
    """Ask for any answer at all; ssh does it the same way for ServerAliveInterval."""
    return Packet(bytes([MSG_GLOBAL_REQUEST]) + _text("keepalive@openssh.com") + b"\1")


def window_adjust(channel: int, size: int) -> Packet:
    """So many bytes more may come."""
    return Packet(struct.pack(">BII", MSG_CHANNEL_WINDOW_ADJUST, channel, size))


def end_of_input(channel: int) -> Packet:
    """No more input will come."""
    return Packet(struct.pack(">BI", MSG_CHANNEL_EOF, channel))


def close(channel: int) -> Packet:
    """The channel is given up."""
    return Packet(struct.pack(">BI", MSG_CHANNEL_CLOSE, channel))


def execute(channel: int, command: str) -> Packet:
    """Run a command; an answer is wanted."""
    return _request(channel, "exec", True, _text(command))


def make_pty(channel: int, pty: Pty) -> Packet:
    """Make a terminal, with the server's own modes; an answer is wanted."""
    return _request(channel, "pty-req", True, _text(pty.term) + _size(pty.size) + _text(""))


def forward_agent(channel: int) -> Packet:
    """Offer our SSH agent to the program; a server that has this forbidden may say so, and we do not mind."""
    return _request(channel, "auth-agent-req@openssh.com", False)


def change_window(channel: int, size: WindowSize) -> Packet:
    """The terminal has another size."""
    return _request(channel, "window-change", False, _size(size))


def end_of_write(channel: int) -> Packet:
    """We read no more: OpenSSH closes its end of the program's stdout then (PROTOCOL, section 2.1)."""
    return _request(channel, "eow@openssh.com", False)


def failure(channel: int) -> Packet:
    """The answer to a request that we do not grant."""
    return Packet(struct.pack(">BI", MSG_CHANNEL_FAILURE, channel))


def confirmation(body: Body) -> tuple[int, int, int]:
    """The server has opened the channel: what it calls it, and how many bytes it takes, in all and in one message."""
    channel, window, packet = struct.unpack_from(">III", body)
    return channel, window, packet


def refusal(body: Body) -> tuple[int, str]:
    """The server opens no channel: its code for that, and its words."""
    return number(body), _string(body, 4).decode("utf-8", "replace")


def number(body: Body) -> int:
    """What a body begins with."""
    return int(struct.unpack_from(">I", body)[0])


def extended_data(body: Body) -> tuple[int, bytes]:
    """Output of another stream than stdout: the stream's code, and the data."""
    return number(body), _string(body, 4)


def request(body: Body) -> tuple[int | None, bool]:
    """What the server says of the program: its exit status, if it is that, and whether an answer is wanted."""
    kind = _string(body, 0)
    (reply,) = struct.unpack_from("?", body, 4 + len(kind))
    details = body[5 + len(kind) :]
    if kind == b"exit-status":
        return number(details), reply
    if kind == b"exit-signal":
        return 128 + SIGNALS.get(_string(details, 0).decode("ascii", "replace"), 0), reply
    return None, reply


def _request(channel: int, kind: str, reply: bool, details: bytes = b"") -> Packet:
    return Packet(struct.pack(">BI", MSG_CHANNEL_REQUEST, channel) + _text(kind) + bytes([reply]) + details)


def _size(size: WindowSize) -> bytes:
    return struct.pack(">IIII", size.columns, size.rows, size.width, size.height)


def _text(value: str) -> bytes:
    encoded = value.encode(errors="surrogateescape")
    return struct.pack(">I", len(encoded)) + encoded


def _string(body: Body, start: int) -> bytes:
    (length,) = struct.unpack_from(">I", body, start)
    return struct.unpack_from(f"{length}s", body, start + 4)[0]  # type: ignore[no-any-return]
