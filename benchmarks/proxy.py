"""A TCP proxy with a fixed delay each way, as a process of its own: `python -m benchmarks.proxy PORT SECONDS`.

It listens on a free port of 127.0.0.1, prints the port, and ends at the end of its input. The kernel accepts a
connection at once, so the proxy delays the first data by as much as connecting would take over a real link.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.command import BenchmarkError

CHUNK = 256 * 1024
END_TIMEOUT = 5.0
"""Seconds for the process to end, which usually happens at once."""

Item = tuple[float, bytes]


@contextlib.contextmanager
def proxy(port: int, delay: float) -> Iterator[int]:
    """Run a proxy to this port, with `delay` seconds each way. Yields the proxy's port."""
    tree = Path(__file__).resolve().parent.parent
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.proxy", str(port), str(delay)],
        cwd=tree,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C must not end it
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        try:
            line = process.stdout.readline()
            if not line:
                raise BenchmarkError("the proxy did not start")
            yield int(line)
        finally:
            process.stdin.close()
            try:
                process.wait(END_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()


class Line:
    """One connection through the proxy."""

    def __init__(self, client: socket.socket, port: int, delay: float) -> None:
        self._client = client
        self._port = port
        self._delay = delay

    def run(self) -> None:
        """Relay the connection. As over a real link, it takes three delays (SYN, SYN-ACK, ACK) to reach the server."""
        there: queue.SimpleQueue[Item] = queue.SimpleQueue()
        back: queue.SimpleQueue[Item] = queue.SimpleQueue()
        _start(self._take, self._client, there)
        time.sleep(3 * self._delay)
        try:
            server = socket.create_connection(("127.0.0.1", self._port))
        except OSError:
            self._client.close()
            return
        for end in (self._client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _start(self._take, server, back)
        _start(self._give, server, there)
        self._give(self._client, back)

    def _take(self, source: socket.socket, pipe: queue.SimpleQueue[Item]) -> None:
        while True:
            try:
                data = source.recv(CHUNK)
            except OSError:
                data = b""
            pipe.put((time.monotonic() + self._delay, data))
            if not data:
                return

    def _give(self, sink: socket.socket, pipe: queue.SimpleQueue[Item]) -> None:
        while True:
            due, data = pipe.get()
            time.sleep(max(0.0, due - time.monotonic()))
            try:
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)
            except OSError:
                return


def _start(work: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()


def main(port: int, delay: float) -> None:
    """Serve until stdin ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    _start(_serve, listener, port, delay)
    sys.stdin.read()


def _serve(listener: socket.socket, port: int, delay: float) -> None:
    while True:
        client, _ = listener.accept()
        _start(Line(client, port, delay).run)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
