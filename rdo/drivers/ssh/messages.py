"""Channel messages to and from the server (RFC 4254, sections 5 and 6) as bytes. Pure."""

from __future__ import annotations

import struct
from typing import NamedTuple

from paramiko.common import (
    CONNECTION_FAILED_CODE,
    MSG_CHANNEL_CLOSE,
    MSG_CHANNEL_EOF,
    MSG_CHANNEL_FAILURE,
    MSG_CHANNEL_OPEN,
    MSG_CHANNEL_OPEN_FAILURE,
    MSG_CHANNEL_OPEN_SUCCESS,
    MSG_CHANNEL_REQUEST,
    MSG_CHANNEL_WINDOW_ADJUST,
    MSG_GLOBAL_REQUEST,
    MSG_REQUEST_FAILURE,
    MSG_UNIMPLEMENTED,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
)

from rdo.drivers.base import Pty, WindowSize
from rdo.drivers.ssh.fields import DISPLAY_LIMIT, Body, MessageReader, Violation, text, uint32, words

SIGNALS = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "FPE": 8, "KILL": 9,
    "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15,
}  # fmt: skip
"""The signals that RFC 4254 names, with their numbers on Linux. Servers report no names for others."""

EXTENSION_LIMIT = 1024
"""Extensions that a server may announce, as with ssh(1)."""

# The body of a message from the server is what follows the number of our channel. A truncated one raises Violation.


class EncodedMessage(NamedTuple):
    """A complete message: paramiko's packetizer needs nothing of it but its bytes."""

    payload: bytes

    def asbytes(self) -> bytes:
        """The bytes to send."""
        return self.payload


class ChannelRequest(NamedTuple):
    """A server's message about a channel's program: its exit status, if it is that, and whether a reply is due."""

    status: int | None
    wants_reply: bool


class RemoteEnd(NamedTuple):
    """The server's end of a channel: its number there, and how many bytes it accepts, in total and per message."""

    number: int
    window: int
    packet: int


def open_channel(kind: str, number: int, window: int, packet: int, details: bytes = b"") -> EncodedMessage:
    """Request a channel, which has this number on our side."""
    return EncodedMessage(bytes([MSG_CHANNEL_OPEN]) + text(kind) + uint32(number, window, packet) + details)


def stream_to(host: str, port: int) -> bytes:
    """The details of a channel that leads to another host."""
    return text(host) + uint32(port) + text("127.0.0.1") + uint32(0)


def stream_to_socket(path: str) -> bytes:
    """The details of a channel that leads to a Unix socket on the server (OpenSSH's PROTOCOL, section 2.4)."""
    return text(path) + text("") + uint32(0)


def confirm(theirs: int, number: int, window: int, packet: int) -> EncodedMessage:
    """Open the channel that the server requested."""
    return EncodedMessage(bytes([MSG_CHANNEL_OPEN_SUCCESS]) + uint32(theirs, number, window, packet))


def refuse(theirs: int) -> EncodedMessage:
    """Refuse the channel that the server requested."""
    code = uint32(theirs, OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)
    return EncodedMessage(bytes([MSG_CHANNEL_OPEN_FAILURE]) + code + text("") + text(""))


def refuse_request() -> EncodedMessage:
    """The answer to a global request, of which rdo supports none."""
    return EncodedMessage(bytes([MSG_REQUEST_FAILURE]))


def unimplemented(sequence: int) -> EncodedMessage:
    """The answer to an unknown message."""
    return EncodedMessage(bytes([MSG_UNIMPLEMENTED]) + uint32(sequence))


def keepalive() -> EncodedMessage:
    """Ask for any answer at all, as ssh does for ServerAliveInterval."""
    return EncodedMessage(bytes([MSG_GLOBAL_REQUEST]) + text("keepalive@openssh.com") + b"\1")


def window_adjust(channel: int, size: int) -> EncodedMessage:
    """Allow so many more bytes."""
    return EncodedMessage(struct.pack(">BII", MSG_CHANNEL_WINDOW_ADJUST, channel, size))


def end_of_input(channel: int) -> EncodedMessage:
    """Announce the end of input."""
    return EncodedMessage(struct.pack(">BI", MSG_CHANNEL_EOF, channel))


def close(channel: int) -> EncodedMessage:
    """Close the channel."""
    return EncodedMessage(struct.pack(">BI", MSG_CHANNEL_CLOSE, channel))


def execute(channel: int, command: str) -> EncodedMessage:
    """Run a command; a reply is due."""
    return _request(channel, "exec", True, text(command))


def make_pty(channel: int, pty: Pty) -> EncodedMessage:
    """Create a terminal with the server's own modes; a reply is due."""
    return _request(channel, "pty-req", True, text(pty.term) + _size(pty.size) + text(""))


def set_variable(channel: int, name: str, value: str) -> EncodedMessage:
    """Ask for a variable in the program's environment, which the server may ignore (AcceptEnv)."""
    return _request(channel, "env", False, text(name) + text(value))


def forward_agent(channel: int) -> EncodedMessage:
    """Offer our SSH agent to the program. If the server forbids it, that is ignored."""
    return _request(channel, "auth-agent-req@openssh.com", False)


def change_window(channel: int, size: WindowSize) -> EncodedMessage:
    """Change the size of the terminal."""
    return _request(channel, "window-change", False, _size(size))


def hang_up(channel: int) -> EncodedMessage:
    """Send the program the signal of a closing terminal (RFC 4254, section 6.9)."""
    return _request(channel, "signal", False, text("HUP"))


def end_of_write(channel: int) -> EncodedMessage:
    """Announce that we read no more, at which OpenSSH closes its end of the program's stdout (PROTOCOL, section
    2.1)."""
    return _request(channel, "eow@openssh.com", False)


def failure(channel: int) -> EncodedMessage:
    """Refuse a request."""
    return EncodedMessage(struct.pack(">BI", MSG_CHANNEL_FAILURE, channel))


def confirmation(body: Body) -> RemoteEnd:
    """The server has opened the channel. Raises Violation for a channel that can carry nothing."""
    return _opened(MessageReader(body))


def opening(body: Body) -> tuple[bytes, RemoteEnd, Body]:
    """The server's request for a channel: its type, the server's end, and further details. Raises Violation for one
    that can carry nothing."""
    fields = MessageReader(body)
    return fields.string(), _opened(fields), fields.rest


def refusal(body: Body) -> tuple[int, str]:
    """The server's refusal of a channel: the code, and its message."""
    fields = MessageReader(body)
    code = fields.number()
    return code, words(fields.string(), DISPLAY_LIMIT) or CONNECTION_FAILED_CODE.get(code, "")


def number(body: Body) -> int:
    """The number at the start of a body."""
    return MessageReader(body).number()


def extended_data(body: Body) -> tuple[int, bytes]:
    """Output of another stream than stdout: the stream's code, and the data."""
    fields = MessageReader(body)
    return fields.number(), fields.string()


def request(body: Body) -> ChannelRequest:
    """The server's request on a channel. Raises Violation."""
    fields = MessageReader(body)
    kind, reply = fields.string(), fields.flag()
    if kind == b"exit-status":
        return ChannelRequest(fields.number(), reply)
    if kind == b"exit-signal":
        return ChannelRequest(128 + SIGNALS.get(words(fields.string()), 0), reply)
    return ChannelRequest(None, reply)


def global_request(body: Body) -> bool:
    """Whether the server expects a reply."""
    fields = MessageReader(body)
    fields.string()
    return fields.flag()


def disconnection(body: Body) -> str:
    """The server's message when it ends the connection; its code if there is none."""
    fields = MessageReader(body)
    code = fields.number()
    return words(fields.string(), DISPLAY_LIMIT) or f"the server disconnected with code {code}"


def debug_text(body: Body) -> str:
    """The text of a debug message."""
    fields = MessageReader(body)
    fields.flag()
    return words(fields.string(), DISPLAY_LIMIT)


def extensions(body: Body) -> dict[str, bytes]:
    """The server's announcement of extensions (RFC 8308)."""
    fields = MessageReader(body)
    count = fields.number()
    if count > EXTENSION_LIMIT:
        raise Violation(f"it announced {count} extensions")
    return {words(fields.string()): fields.string() for _ in range(count)}


def _opened(fields: MessageReader) -> RemoteEnd:
    opened = RemoteEnd(fields.number(), fields.number(), fields.number())
    if opened.packet == 0:
        raise Violation("it opened a channel for messages of 0 bytes")
    return opened


def _request(channel: int, kind: str, reply: bool, details: bytes = b"") -> EncodedMessage:
    return EncodedMessage(struct.pack(">BI", MSG_CHANNEL_REQUEST, channel) + text(kind) + bytes([reply]) + details)


def _size(size: WindowSize) -> bytes:
    return uint32(size.columns, size.rows, size.width, size.height)
