"""An engine for tests that answers correctly, except where a test replaces the answer. It has no containers, but runs
shells here. It sends what no real engine would send.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

ID = "f" * 64

Say = Callable[[socket.socket], None]
"""Sends an answer on a connection, which is closed afterwards."""

INSPECTION: Mapping[str, object] = {
    "Id": ID,
    "Name": "/web",
    "Image": "sha256:" + "a" * 64,
    "State": {"Status": "running", "Running": True, "Paused": False, "Restarting": False, "ExitCode": 0},
    "Config": {"WorkingDir": "", "Labels": {}},
    "Mounts": [{"Type": "bind", "Source": "/", "Destination": "/", "RW": True}],
}

GOOD: Mapping[str, object] = {
    "ping": "OK",
    "inspect": INSPECTION,
    "list": [{"Id": ID, "Names": ["/web"], "State": "running", "Labels": {}}],
    "status": {"Running": False, "ExitCode": 0, "Pid": 7},
}


def answer(body: object, status: str = "200 OK") -> bytes:
    """An answer in the form in which Go's library writes it."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = ("Api-Version: 1.41", "Content-Type: application/json", f"Content-Length: {len(data)}")
    return "\r\n".join((f"HTTP/1.1 {status}", *fields, "", "")).encode() + data


def frame(stream: int, data: bytes, size: int | None = None) -> bytes:
    return struct.pack(">BxxxI", stream, len(data) if size is None else size) + data


class OddEngine:
    """An engine that listens at `path`. `odd` has the answers that replace the correct ones, by request (`ping`,
    `inspect`, `list`, `create`, `start`, `status`).
    """

    def __init__(self, path: Path, odd: Mapping[str, Say]) -> None:
        self.environment = {"DOCKER_HOST": f"unix://{path}"}
        self.asked: list[str] = []
        self._commands: list[list[str]] = []
        self._odd = odd
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Close all connections."""
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            for path, body in requests(connection):
                question = question_of(path)
                self.asked.append(question)
                if say := self._odd.get(question):
                    say(connection)
                    return
                if question == "start":
                    run(connection, self._commands[int(path.split("/")[-2])])
                    return
                self._answer(connection, question, body)

    def _answer(self, connection: socket.socket, question: str, body: bytes) -> None:
        if question == "create":
            self._commands.append(json.loads(body)["Cmd"])
            connection.sendall(answer({"Id": str(len(self._commands) - 1)}, "201 Created"))
        elif question not in GOOD:
            connection.sendall(answer({"message": "no such thing"}, "404 Not Found"))
        else:
            connection.sendall(answer(GOOD[question]))


def requests(connection: socket.socket) -> Iterator[tuple[str, bytes]]:
    """The path and body of each request that arrives over a connection."""
    received = b""
    while True:
        while b"\r\n\r\n" not in received:
            data = connection.recv(65536)
            if not data:
                return
            received += data
        head, _, received = received.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields.get(b"content-length", b"0"))
        while len(received) < length:
            received += connection.recv(65536)
        body, received = received[:length], received[length:]
        yield head.split(b" ")[1].decode(), body


def question_of(path: str) -> str:
    """The short name of the request."""
    path = path.partition("?")[0]
    if path.endswith("/_ping"):
        return "ping"
    if path.endswith("/containers/json"):
        return "list"
    if path.endswith("/exec"):
        return "create"
    if path.endswith("/start"):
        return "start"
    if "/exec/" in path and path.endswith("/json"):
        return "status"
    return "inspect" if path.endswith(("/containers/web/json", f"/containers/{ID}/json")) else path


UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\n\r\n"


def run(connection: socket.socket, program: list[str]) -> None:
    """Run what the request starts, on this machine, with its two streams in frames."""
    connection.sendall(UPGRADED)
    pipe = subprocess.PIPE
    with subprocess.Popen(program, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdout
        assert process.stderr
        threading.Thread(target=_feed, args=(connection, process), daemon=True).start()
        streams = {process.stdout: 1, process.stderr: 2}
        while streams:
            for each in select.select(list(streams), [], [])[0]:
                if data := os.read(each.fileno(), 65536):
                    connection.sendall(frame(streams[each], data))
                else:
                    del streams[each]
        process.kill()
    connection.shutdown(socket.SHUT_RDWR)


def _feed(connection: socket.socket, process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    with contextlib.suppress(OSError, ValueError):
        while data := connection.recv(65536):
            process.stdin.write(data)
            process.stdin.flush()
    with contextlib.suppress(OSError, ValueError):
        process.stdin.close()
