"""The messages between client and control master, as bytes. Pure: no sockets. PROTOCOL.md, section 1, is the text.

Part of the client's hot path.
"""

from rdo.errors import ConnectError, RdoError, printable

VERSION = b"5"

# From both.
END = b"E"

# From the client.
RUN = b"R"
ANSWER = b"A"
INPUT = b"I"
SIGNAL = b"S"
WINDOW = b"W"
QUERY = b"Q"
STOP = b"X"

# From the master.
ACCEPTED = b"K"
STALE = b"Z"
PROMPT = b"P"
NOTICE = b"N"
PROGRESS = b"G"
STARTED = b"B"
PTYLESS = b"T"
"""Payload of STARTED where the target gives no terminal."""
OUTPUT = b"O"
ERROR = b"D"
CREDIT = b"C"
STOPPED = b"T"
EXIT = b"X"
FAILED = b"F"
REPORT = b"J"

PAYLOAD_LIMIT = 16 * 1024 * 1024
"""Largest payload (bytes): far above ARG_MAX (2 MiB for arguments and environment), and no danger to memory."""

INPUT_WINDOW = 4 * 1024 * 1024
"""Bytes of INPUT that may be under way: enough for full speed, of which 1 MiB costs a seventh; little enough to hold in
memory."""

UNREACHABLE = "unreachable"
"""In FAILED: no connection could be made, and so no command was started."""

HEADER_SIZE = 5


class ProtocolError(RdoError):
    """The peer misbehaved; the connection is of no more use."""


def header(kind: bytes, length: int) -> bytes:
    """What stands before a payload of `length` bytes."""
    return kind + length.to_bytes(4, "big")


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """One whole frame."""
    return header(kind, len(payload)) + payload


TYPE_CHECKING = False  # as typing has it, without the cost of importing that
if TYPE_CHECKING:
    Frame = tuple[bytes, bytes | memoryview]
    """Kind and payload. That of STREAMS is a view of what was received; any other is bytes."""

STREAMS = OUTPUT + ERROR + INPUT
"""Kinds whose payload is part of a stream: where it was cut into frames says nothing."""


class Decoder:
    """Bytes in, frames out, however the bytes were split. What belongs to a stream is handed on at once, uncopied."""

    __slots__ = ("_buffer", "kind", "left", "length")

    def __init__(self) -> None:
        self._buffer = b""
        self.kind = b""
        """Of the last frame of STREAMS, as are the two that follow."""
        self.length = 0
        self.left = 0
        """Bytes of it that have not come yet."""

    def receive(self, data: bytes) -> "list[Frame]":
        """Take in `data`; give the frames that are whole now, and of STREAMS all there is. Raises ProtocolError."""
        buffer = self._buffer + data if self._buffer else data
        frames: list[Frame] = []
        position = self._stream(buffer, 0, frames)
        while len(buffer) - position >= HEADER_SIZE:
            start = position + HEADER_SIZE
            kind = buffer[position : position + 1]
            length = int.from_bytes(buffer[position + 1 : start], "big")
            if length > PAYLOAD_LIMIT:
                raise ProtocolError("a frame is too long", f"{length} bytes")
            if kind in STREAMS:
                self.kind, self.length, self.left = kind, length, length
                position = self._stream(buffer, start, frames)
                continue
            if start + length > len(buffer):
                break
            position = start + length
            frames.append((kind, buffer[start:position]))
        self._buffer = buffer[position:]
        return frames

    def _stream(self, buffer: bytes, start: int, frames: "list[Frame]") -> int:
        """Hand on what has come of the frame that is under way; where the next one starts."""
        end = min(start + self.left, len(buffer))
        if end > start:
            frames.append((self.kind, memoryview(buffer)[start:end]))
            self.left -= end - start
        return end


FLAGS = {
    "is_shell_string": b"c",
    "sudo": b"s",
    "no_map": b"m",
    "map_output": b"o",
    "no_map_output": b"O",
    "pty": b"p",
    "verbose": b"v",
    "progress": b"g",
    "no_input": b"n",
}
"""The flags of a request by name, each with its letter on the wire. Other letters mean nothing."""


class Request:
    """What RUN asks for. Paths, arguments and variables are bytes: they need not be UTF-8."""

    __slots__ = (
        "arguments", "config", "cwd", "environ", "is_shell_string", "map_output", "modes", "no_input", "no_map",
        "no_map_output", "profile", "progress", "pty", "pwd", "remote_directory", "root", "shell_options", "stamp",
        "sudo", "term", "user", "variables", "verbose", "version", "window",
    )  # fmt: skip

    version: bytes
    config: bytes
    profile: bytes
    stamp: bytes
    root: bytes
    pwd: bytes
    cwd: bytes
    is_shell_string: bool
    """Whether the first argument is one."""
    sudo: bool
    no_map: bool
    """Whether to leave arguments as they are."""
    map_output: bool
    no_map_output: bool
    """With neither of the two, the config decides."""
    pty: bool
    verbose: bool
    progress: bool
    """Whether the caller's stderr is a terminal that can show progress."""
    no_input: bool
    shell_options: bytes
    """Of the shell that a string is for, with spaces between: `-c`, or `-euo pipefail -c`."""
    remote_directory: bytes
    user: bytes
    """The user to run as; empty: the target's own user, or root with `sudo`."""
    term: bytes
    modes: bytes
    """Of the caller's terminal: NAME=VALUE with spaces between, see terminal_modes.py. Empty where there is none."""
    window: "tuple[int, int, int, int]"
    """Rows, columns, width and height in pixels."""
    arguments: "list[bytes]"
    variables: "list[bytes]"
    environ: "list[bytes]"

    @property
    def flags(self) -> bytes:
        """The letters of all flags that are set."""
        return b"".join(letter for name, letter in FLAGS.items() if getattr(self, name))

    @flags.setter
    def flags(self, letters: bytes) -> None:
        for name, letter in FLAGS.items():
            setattr(self, name, letter in letters)


_FIELDS = (
    "version", "config", "profile", "stamp", "root", "pwd", "cwd", "flags", "shell_options", "remote_directory", "user",
    "term", "modes",
)  # fmt: skip


def encode_request(request: Request) -> bytes:
    """The payload of RUN."""
    fields: list[bytes] = [getattr(request, name) for name in _FIELDS]
    fields.append(b"%d %d %d %d" % request.window)
    for items in (request.arguments, request.variables):
        fields.append(b"%d" % len(items))
        fields += items
    return b"\0".join(fields + request.environ)


def version(payload: bytes) -> bytes:
    """The version in a payload of RUN, whatever the rest of it looks like."""
    return payload.partition(b"\0")[0]


def decode_request(payload: bytes) -> Request:
    """The request in a payload of RUN. Raises ProtocolError."""
    fields = iter(payload.split(b"\0"))
    request = Request()
    try:
        for name in _FIELDS:
            setattr(request, name, next(fields))
        rows, columns, width, height = map(int, next(fields).split(b" "))
        request.window = (rows, columns, width, height)
        request.arguments = [next(fields) for _ in range(int(next(fields)))]
        request.variables = [next(fields) for _ in range(int(next(fields)))]
    except (StopIteration, ValueError):
        raise ProtocolError("malformed request") from None
    request.environ = list(fields)
    return request


def encode_window(rows: int, columns: int, width: int, height: int) -> bytes:
    """The payload of WINDOW."""
    return b"".join(number.to_bytes(2, "big") for number in (rows, columns, width, height))


def decode_window(payload: bytes) -> "tuple[int, int, int, int]":
    """Rows, columns, width and height in a payload of WINDOW. Raises ProtocolError."""
    if len(payload) != 8:
        raise ProtocolError("malformed window size")
    rows, columns, width, height = (int.from_bytes(payload[start : start + 2], "big") for start in (0, 2, 4, 6))
    return rows, columns, width, height


def encode_credit(size: int) -> bytes:
    """The payload of CREDIT."""
    return size.to_bytes(4, "big")


def decode_credit(payload: bytes) -> int:
    """The number of bytes in a payload of CREDIT. Raises ProtocolError."""
    if len(payload) != 4:
        raise ProtocolError("malformed credit")
    return int.from_bytes(payload, "big")


def encode_failure(error: RdoError) -> bytes:
    """The payload of FAILED: the parts as they will be shown, so that none can hold a NUL."""
    kind = UNREACHABLE if isinstance(error, ConnectError) else ""
    return "\0".join((*map(printable, (error.what, error.why, error.hint)), kind)).encode()


def decode_failure(payload: bytes) -> RdoError:
    """The error in a payload of FAILED."""
    what, why, hint, kind, *_ = (*payload.decode("utf-8", "replace").split("\0"), "", "", "")
    return (ConnectError if kind == UNREACHABLE else RdoError)(what, why, hint)
