"""A proxy for TCP and UNIX sockets, as a line to a server that can be cut and can fall silent."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from pathlib import Path

CHUNK = 65536

Address = tuple[str, int] | str
"""The address of a server: host and port, or the path of a UNIX socket."""


class Connection:
    """One connection over the line, with a thread for each direction."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._ends = (client, server)
        self._silent = False
        self._ends_next = False
        self.carried = 0
        """The bytes that were carried in both directions."""
        self._flows = threading.Event()
        self._flows.set()
        self._threads = [
            threading.Thread(target=self._copy, args=ends, name="line") for ends in ((client, server), (server, client))
        ]
        for thread in self._threads:
            thread.start()

    def fall_silent(self) -> None:
        """Discard everything from now on."""
        self._silent = True

    def end_when_asked(self) -> None:
        """Close the connection as soon as something arrives."""
        self._ends_next = True

    def freeze(self) -> None:
        """Hold everything back from now on."""
        self._flows.clear()

    def thaw(self) -> None:
        """Let the connection continue."""
        self._flows.set()

    def hang_up(self) -> None:
        """Close the connection for both sides."""
        self.thaw()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Release its resources when it has ended."""
        for thread in self._threads:
            thread.join()
        for end in self._ends:
            end.close()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                self.carried += len(data)
                self._flows.wait()
                if self._ends_next:
                    self.hang_up()
                if not self._silent:
                    sink.sendall(data)
        if not self._silent:
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)


class Line:
    """A line: connections to `address` are relayed to the server."""

    def __init__(self, server: Address, path: Path | None = None) -> None:
        """Listens at the UNIX socket `path` or, without one, at a free port of 127.0.0.1."""
        self._server = server
        address: Address = str(path) if path else ("127.0.0.1", 0)
        self._listener = _socket(address)
        self._listener.bind(address)
        self._listener.listen()
        self.address: Address = self._listener.getsockname()
        self._connections: list[Connection] = []
        self.holds_new = False
        """Whether new connections are accepted but not relayed, until `release`."""
        self._held: list[socket.socket] = []
        self.refuses_new = False
        """Whether new connections are closed at once."""
        self.refused = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, name="line")
        self._thread.start()

    @property
    def port(self) -> int:
        """The port, for TCP."""
        return int(self.address[1])

    @property
    def carried(self) -> int:
        """The bytes that were carried by the current connections, in both directions."""
        return sum(connection.carried for connection in self._connections)

    def settled(self) -> int:
        """`carried`, when it has not changed for a while, so that both sides have read everything."""
        while True:
            before = self.carried
            time.sleep(0.3)
            if self.carried == before:
                return before

    def cut(self) -> None:
        """Close all connections for both sides at once. New ones can be made."""
        with self._lock:
            for connection in self._connections:
                connection.hang_up()
            while self._connections:
                self._connections.pop().close()

    def fall_silent(self) -> None:
        """Discard what arrives over the current connections, without informing either side. New ones work."""
        for connection in self._connections:
            connection.fall_silent()

    def ends_when_asked(self) -> None:
        """Close the current connections as soon as something arrives, as a router does that has forgotten them."""
        for connection in self._connections:
            connection.end_when_asked()

    @property
    def held(self) -> int:
        """How many new connections are being held."""
        return len(self._held)

    def release(self) -> None:
        """Relay the connections that were held, and hold no more."""
        self.holds_new = False
        with self._lock:
            while self._held:
                self._connect(self._held.pop())

    def freeze(self) -> None:
        """Hold back what arrives over the current connections. New ones work."""
        for connection in self._connections:
            connection.freeze()

    def thaw(self) -> None:
        """Let everything that was held back continue."""
        for connection in self._connections:
            connection.thaw()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
        self._thread.join()
        self._listener.close()
        if isinstance(self.address, str):
            os.unlink(self.address)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self.refuses_new:
                    client.close()
                    self.refused += 1
                elif self.holds_new:
                    self._held.append(client)
                else:
                    self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        server = _socket(self._server)
        try:
            server.connect(self._server)
        except OSError:
            client.close()
            server.close()
            return
        self._connections.append(Connection(client, server))


def _socket(address: Address) -> socket.socket:
    return socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
