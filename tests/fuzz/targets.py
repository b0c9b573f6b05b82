"""The targets of fuzzing: every decoder of bytes from outside. Each accepts any bytes; any exception is a bug."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rdo.config import ini
from rdo.config.load import load
from rdo.drivers.base import STDERR, STDOUT
from rdo.drivers.docker.demux import FrameDecoder
from rdo.errors import ConfigError, RdoError
from rdo.ipc import protocol
from rdo.ipc.request import Request, decode_request, encode_request
from rdo.ipc.request import version as request_version
from rdo.remote_sh.markers import Mark, Marks

NONCE = "0123456789abcdef"
DIRECTORY = tempfile.TemporaryDirectory(prefix="rdo-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)


def pieces(data: bytes) -> Iterator[bytes]:
    """The data after its first byte, split as that byte says."""
    size = data[0] + 1 if data else 1
    return (data[start : start + size] for start in range(1, len(data), size))


def frames(data: bytes) -> None:
    """The control socket's frames, whole and in pieces. Where streams were split does not matter."""
    found = [_frames([data[1:]]), _frames(pieces(data))]
    assert found[0] == found[1]


def _frames(parts: Any) -> list[tuple[bytes, bytes]] | str:
    decoder = protocol.Decoder()
    found: list[tuple[bytes, bytes]] = []
    try:
        for part in parts:
            for kind, payload in decoder.receive(part):
                if kind in protocol.STREAMS and found and found[-1][0] == kind:
                    found[-1] = (kind, found[-1][1] + payload)
                else:
                    found.append((kind, bytes(payload)))
    except protocol.ProtocolError as error:
        return str(error)
    return found


def request(data: bytes) -> None:
    """The request in RUN. A valid one is encoded as it was, except for the spelling of numbers."""
    with contextlib.suppress(protocol.ProtocolError):
        read = decode_request(data)
        again = decode_request(encode_request(read))
        assert all(getattr(read, name) == getattr(again, name) for name in Request.__slots__)
    request_version(data)


def payloads(data: bytes) -> None:
    """The other payloads."""
    for decode in (protocol.decode_window, protocol.decode_credit):
        with contextlib.suppress(protocol.ProtocolError):
            decode(data)
    assert str(protocol.decode_failure(data)).isprintable()


def marks(data: bytes) -> None:
    """The marks in a pty's output, whole and in pieces: the same text and marks, and nothing is held back for ever."""
    text = data.replace(b"@", f"\x1b]rdo;{NONCE};".encode()).replace(b"~", b"\x07")
    assert _marks([text[1:]]) == _marks(pieces(text))


def _marks(parts: Any) -> list[Any]:
    reader, found = Marks(NONCE), []
    for part in parts:
        found += reader.receive(part)
        assert len(reader._held) <= 64
    joined: list[Any] = []
    for piece in [*found, reader.end()]:
        if joined and not isinstance(piece, Mark) and not isinstance(joined[-1], Mark):
            joined[-1] += piece
        elif piece:
            joined.append(piece)
    return joined


def docker_frames(data: bytes) -> None:
    """The engine's frames, whole and in pieces: the same bytes on each stream."""
    assert _streams([data[1:]]) == _streams(pieces(data))


def _streams(parts: Any) -> dict[int, bytes]:
    decoder, found = FrameDecoder(), {STDOUT: b"", STDERR: b""}
    for part in parts:
        for chunk in decoder.receive(part):
            found[chunk.stream] += chunk.data
    return found


def old_config(data: bytes) -> None:
    """A config file of the first rdo."""
    text = data.decode("utf-8", "replace")
    ini.looks_like_ini(text)
    with contextlib.suppress(ConfigError):
        ini.read("/p/.rdo.conf", text)


def config(data: bytes) -> None:
    """Config files: a Config of a profile, or a line that names the file."""
    directory = Path(DIRECTORY.name)
    shared, _, own = data.partition(b"\0")
    (directory / ".rdo.conf").write_bytes(shared)
    (directory / ".rdo.local.conf").write_bytes(own)
    try:
        line = load(str(directory / ".rdo.conf"), "box" if len(data) % 2 else None, None).path
    except RdoError as error:
        line = str(error)
    assert line.startswith(f"{directory}/.rdo.")
    assert line.isprintable()


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (frames, request, payloads, marks, docker_frames, old_config, config)
}

SEEDS: dict[str, list[bytes]] = {
    "frames": [b"\x03" + protocol.frame(protocol.INPUT, b"abc") + protocol.frame(protocol.END)],
    "request": [b"1\0/c\0p\0s\0/\0/\0/\0m\0\0xterm\x0024 80 0 0\x002\0a\0b\x001\0A=1\0B=2"],
    "payloads": [b"\0\x18\0\x50\0\0\0\0", b"what\0why\0hint"],
    "marks": [b"\x05out@group;12~put@ready~", b"\x02@stopped\x1b@~"],
    "docker_frames": [b"\x04\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x03err"],
    "old_config": [b"[default]\ndriver = vagrant\nflags = -p 22\n", b"host=a\n;x\n[box]\nexec=true\n"],
    "config": [
        b'host = "a"\ndirectory = "/x"\nenv = { A = "1" }\n[box]\nimage = "i"\nfresh = true\n\0path = ["b"]\n',
        b"driver = docker\nname = x\nexec = true\n[box]\ndriver=ssh\nhost=h\nident=~/.k\nflags=-J a,b -p 2\n",
    ],
}
"""The initial inputs of each target."""
