"""Runs both clients against a control socket whose other end belongs to the test."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rdo.ipc import address, peercred, protocol
from tests import clients

PROGRAMS = Path(sys.executable).parent

TIMEOUT = 200.0 if clients.CHOSEN else 20.0
"""Seconds against hangs. A checker may take many times as long."""

PYTHON = (sys.executable, "-I", "-X", "utf8", "-X", "rdo=rdo", str(PROGRAMS / "rdo-client"))
"""The Python client as its launcher starts it, but without the launcher's shell, which changes some variables."""

NATIVE = (str(clients.directories()[0] / "rdo"),)

CLIENTS = {"python": PYTHON, "native": NATIVE}

OK = protocol.frame(protocol.ACCEPTED) + protocol.frame(protocol.STARTED) + protocol.frame(protocol.EXIT, b"\0")

Play = Callable[[socket.socket], None]


@dataclass(frozen=True)
class Caller:
    """The caller of a command, with which both clients are started in the same way."""

    words: Sequence[str | bytes]
    cwd: str | bytes
    env: Mapping[str, str] | Mapping[bytes, bytes]
    terminals: str = ""
    """Which of stdin, stdout and stderr are a terminal, as digits."""
    stdin: int = subprocess.DEVNULL
    modes: Callable[[int], None] | None = None
    """Sets the modes of the terminal."""
    wrapper: Sequence[str] = ()
    """A command that starts the client."""
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Seen:
    """The observed behaviour of a client."""

    sent: bytes = b""
    """Data from its first connection."""
    status: int | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    shown: bytes = b""
    """Output on its terminal."""
    program: str = ""
    """The program that connected; empty if the system does not report it."""

    @property
    def request(self) -> bytes:
        """The payload of RUN."""
        assert self.sent[:1] == protocol.RUN, self
        return self.sent[protocol.HEADER_SIZE : protocol.HEADER_SIZE + int.from_bytes(self.sent[1:5], "big")]


def socket_path(caller: Caller) -> Path:
    """The socket of the master for the caller's command."""
    environment = {os.fsdecode(name): os.fsdecode(value) for name, value in caller.env.items()}
    return Path(address.socket_path(address.runtime_directory(environment)))


def both(caller: Caller, play: Play | None = None) -> tuple[Seen, Seen]:
    """The observed behaviour of the Python client, and of the native one."""
    path = socket_path(caller)
    return run("python", caller, play, path), run("native", caller, play, path)


def run(client: str, caller: Caller, play: Play | None = None, path: Path | None = None) -> Seen:
    """Run a client with `play` as its master; see `master`."""
    with master(path or socket_path(caller), play or answer_ok) as seen:
        start(client, caller, seen)
    return seen


@contextlib.contextmanager
def master(path: Path, play: Play) -> Iterator[Seen]:
    """Act as a master that listens there. `play` gets a connection whose request has been read."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    seen = Seen()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener, path, play, seen))
        thread.start()
        try:
            yield seen
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(TIMEOUT)
            path.unlink(missing_ok=True)


def answer_ok(connection: socket.socket) -> None:
    """Act as a master whose command ends at once."""
    connection.sendall(OK)


def serve(listener: socket.socket, path: Path, play: Play, seen: Seen) -> None:
    """Record the first connection."""
    with contextlib.suppress(OSError):
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(TIMEOUT)
            seen.program = program(connection)
            seen.sent = receive(connection, protocol.HEADER_SIZE)
            seen.sent += receive(connection, int.from_bytes(seen.sent[1:5], "big"))
            play(connection)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
            while data := connection.recv(1 << 16):
                seen.sent += data


def program(connection: socket.socket) -> str:
    """The program at the other end."""
    with contextlib.suppress(OSError):
        found = os.readlink(f"/proc/{peercred.pid(connection)}/exe")
        return NATIVE[0] if "/valgrind/" in found else found  # which runs no other program
    return ""


def receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := connection.recv(min(size - len(data), 1 << 20))):
        data += more
    return data


def next_frame(connection: socket.socket) -> tuple[bytes, bytes]:
    """The client's next frame except PROBE, which may come at any time. Nothing at the end."""
    while True:
        head = receive(connection, protocol.HEADER_SIZE)
        payload = receive(connection, int.from_bytes(head[1:], "big"))
        if head[:1] != protocol.PROBE:
            return head[:1], payload


def await_probe(connection: socket.socket) -> None:
    """Wait until the client probes this master: by then, it has set up everything else that a command needs."""
    assert receive(connection, protocol.HEADER_SIZE) == protocol.frame(protocol.PROBE)


def start(client: str, caller: Caller, seen: Seen) -> None:
    """Run the client until it ends."""
    with terminal(caller) as (near, far):
        given: dict[str, Any] = {"stdin": caller.stdin, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        for index, name in enumerate(("stdin", "stdout", "stderr")):
            if str(index) in caller.terminals:
                given[name] = far
        wrapper = ["setsid", "--ctty", "--wait", *caller.wrapper] if "0" in caller.terminals else [*caller.wrapper]
        command = [*wrapper, *CLIENTS[client], *caller.words]
        process = subprocess.Popen(command, cwd=caller.cwd, env=caller.env, **given, **caller.more)
        try:
            seen.stdout, seen.stderr = (data or b"" for data in process.communicate(timeout=TIMEOUT))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        seen.status = process.returncode
        if near >= 0:
            seen.shown = drained(near)


@contextlib.contextmanager
def terminal(caller: Caller) -> Iterator[tuple[int, int]]:
    """Both ends of a terminal, if the caller has one."""
    if not caller.terminals:
        yield -1, -1
        return
    near, far = pty.openpty()
    fcntl.ioctl(near, termios.TIOCSWINSZ, struct.pack("4H", 30, 100, 7, 9))
    if caller.modes:
        caller.modes(far)
    try:
        yield near, far
    finally:
        os.close(near)
        os.close(far)


def drained(near: int) -> bytes:
    """What was shown on a terminal."""
    shown = b""
    os.set_blocking(near, False)
    with contextlib.suppress(OSError):
        while data := os.read(near, 1 << 16):
            shown += data
    return shown


def fields(request: bytes, env: Mapping[str, str] | Mapping[bytes, bytes]) -> list[bytes]:
    """The fields of the request, without the variable that Python sets if there is no locale."""
    given = {os.fsencode(name) for name in env}
    found = request.split(b"\0")
    return [each for each in found if each != b"LC_CTYPE=C.UTF-8" or b"LC_CTYPE" in given]


def soon(condition: Callable[[], bool]) -> bool:
    """Wait until the condition holds."""
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
