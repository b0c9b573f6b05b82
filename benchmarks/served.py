"""A server on the target to forward ports to: `python -S served.py bulk SIZE` or `... http`. It prints its port.

It is a process of its own, so that it does not slow down the one that measures.
"""

from __future__ import annotations

import asyncio
import socket
import sys

PIECE = memoryview(bytes(1 << 20))

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n"


def bulk(size: int) -> None:
    """Send `size` bytes over each connection, one connection after another."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            connection, _ = listening.accept()
            with connection:
                left = size
                while left:
                    left -= connection.send(PIECE[: min(left, len(PIECE))])


class Answering(asyncio.Protocol):
    """Answers each request; looks only for its end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(ANSWER * data.count(b"\r\n\r\n"))


async def http() -> None:
    """Answer requests as fast as a process in Python can."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "bulk":
        bulk(int(sys.argv[2]))
    else:
        asyncio.run(http())
