"""A relay that makes a local server respond as slowly as one in another city. It runs in threads of its caller."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Iterator

ROUND_TRIP = 0.05
"""Seconds from Central Europe to the British Isles and back. To most clouds it is more."""

CHUNK = 64 * 1024


@contextlib.contextmanager
def far(port: int) -> Iterator[int]:
    """Relay from a new port of 127.0.0.1, which is yielded, to this one, with a delay of half a round trip each way."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, port), daemon=True).start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, port: int) -> None:
    with contextlib.suppress(OSError):
        while True:
            near, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", port))
            for end in (near, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, sink in ((near, server), (server, near)):
                _relay(source, sink)


OnItsWay = queue.SimpleQueue[tuple[float, bytes]]


def _relay(source: socket.socket, sink: socket.socket) -> None:
    """Relay one direction until it ends."""
    on_its_way: OnItsWay = queue.SimpleQueue()
    threading.Thread(target=_take, args=(source, on_its_way), daemon=True).start()
    threading.Thread(target=_give, args=(on_its_way, source, sink), daemon=True).start()


def _take(source: socket.socket, on_its_way: OnItsWay) -> None:
    data = b"-"
    while data:
        try:
            data = source.recv(CHUNK)
        except OSError:
            data = b""
        on_its_way.put((time.monotonic() + ROUND_TRIP / 2, data))


def _give(on_its_way: OnItsWay, source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            due, data = on_its_way.get()
            time.sleep(max(0.0, due - time.monotonic()))
            if not data:
                break
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
