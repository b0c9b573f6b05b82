"""A TCP server for a test, in this process, and a client."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.leaks import wait_until
from tests.ssh_server import free_port

TIMEOUT = 20.0
"""Seconds for anything that should happen at once."""

Serve = Callable[[socket.socket], None]


@contextmanager
def server(serve: Serve, host: str = "127.0.0.1") -> Iterator[int]:
    """Run a server that passes each connection to `serve` in a thread. Yields its port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, free_port()))
        listening.listen(512)
        threads: list[threading.Thread] = []

        def run(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                serve(connection)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    threads.append(threading.Thread(target=run, args=[connection]))
                    threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            acceptor.join(TIMEOUT)
            all_closed = wait_until(lambda: all(not thread.is_alive() for thread in threads), TIMEOUT)
            assert all_closed, "a connection was never closed"


@contextmanager
def server_that_detects_the_end() -> Iterator[tuple[int, threading.Event]]:
    """Run a server that reads everything. Yields its port, and an event that is set when a connection to it has ended
    in any way.
    """
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        with suppress(OSError):
            read_all(connection)
        ended.set()

    with server(serve) as port:
        yield port, ended


def echo(connection: socket.socket) -> None:
    while data := connection.recv(65536):
        connection.sendall(data)


def read_all(connection: socket.socket) -> bytes:
    pieces = []
    while data := connection.recv(65536):
        pieces.append(data)
    return b"".join(pieces)


def send_all(connection: socket.socket, data: bytes) -> None:
    with suppress(OSError):  # the reading thread notices
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)


def connect(port: int, host: str = "127.0.0.1") -> socket.socket:
    connection = socket.create_connection((host, port), TIMEOUT)
    connection.settimeout(TIMEOUT)
    return connection
