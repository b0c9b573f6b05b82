"""A channel as a byte stream: for another connection, through this host, or for the agent."""

from __future__ import annotations

import contextlib
import socket
import threading

from rdo.drivers.ssh.auth.agent import Agent
from rdo.drivers.ssh.channel import SshChannel
from rdo.drivers.ssh.fields import Body
from rdo.drivers.ssh.transport import SshTransport
from rdo.errors import LinkLost, SetupError
from rdo.util import threads

SEND_CHECK_INTERVAL = 1.0
"""Seconds to wait for room before the sender checks whether it still should."""

READ_SIZE = 64 * 1024
"""Bytes to read at once; agent messages are smaller."""

WINDOW = 256 * 1024
"""Bytes that a program may send before the agent has read them: the longest message that OpenSSH's agent accepts."""

STREAM_LIMIT = 64
"""Streams at the same time, since each costs two threads. For further programs, the agent is unreachable."""

GONE = (OSError, LinkLost, SetupError)
"""Errors of the agent, of the connection, or of starting a thread, at which the program sees the agent disconnect."""


class ChannelStream:
    """The ByteStream of rdo.drivers.ssh.monitored_stream. For one reading and one sending thread."""

    def __init__(self, channel: SshChannel) -> None:
        self._channel = channel
        self._timeout: float | None = None
        self._left = memoryview(b"")

    def send(self, data: bytes | memoryview) -> int:
        """Send as much as there is room for. Raises TimeoutError, OSError."""
        try:
            size = self._channel.write_some(memoryview(data), SEND_CHECK_INTERVAL)
        except LinkLost as error:
            raise ConnectionResetError(str(error)) from None
        if size is None:
            raise BrokenPipeError
        return size

    def sendall(self, data: bytes | memoryview) -> None:
        """Send all of the data, however long that takes; nothing once the channel has ended. Raises OSError."""
        try:
            self._channel.write(data)
        except LinkLost as error:
            raise ConnectionResetError(str(error)) from None

    def recv(self, size: int) -> bytes:
        """Read what has arrived, up to `size` bytes; empty at the end. Raises TimeoutError."""
        if not self._left:
            chunk = self._channel.read(self._timeout)
            if chunk is None:
                return b""
            self._left = memoryview(chunk.data)
        data, self._left = bytes(self._left[:size]), self._left[size:]
        return data

    def settimeout(self, seconds: float | None) -> None:
        """Set how long `recv` waits."""
        self._timeout = seconds

    def close(self) -> None:
        """Close the channel, and wake a thread that waits."""
        self._channel.close()


class AgentForward:
    """ForwardAgent: lets programs on the target use the caller's SSH agent, whose socket is at `path`.

    The server opens a stream for each program that uses it.
    """

    def __init__(self, path: str, transport: SshTransport, target: str) -> None:
        self._path = path
        self._transport = transport
        self._target = target
        self._room = threading.Semaphore(STREAM_LIMIT)  # streams that may still be opened

    def accept(self, details: Body) -> SshChannel | None:
        """Our end of another channel, or None if there are too many. Its threads end with it, so at the latest with the
        link."""
        if not self._room.acquire(blocking=False):
            return None
        channel = SshChannel(self._transport, self._target, lambda: None, WINDOW)
        try:
            threads.start(self._serve, channel, name="rdo-agent")
        except SetupError:  # this thread serves the whole connection, and must continue
            self._room.release()
            return None
        return channel

    def _serve(self, channel: SshChannel) -> None:
        stream = ChannelStream(channel)
        try:
            with contextlib.suppress(*GONE), self._connect() as agent:
                channel.wait_until_open()
                back = threads.start(_to_program, agent, stream, name="rdo-agent")
                _to_agent(stream, agent)
                back.join()
        finally:
            stream.close()
            self._room.release()

    def _connect(self) -> socket.socket:
        """A connection to the agent that knows where its requests come from. Raises OSError."""
        agent = Agent(self._path)
        if self._transport.binding is not None:
            agent.bind(*self._transport.binding, forwarding=True)
        connection = agent.detach()
        if connection is None:
            raise ConnectionError("there is no agent")
        connection.settimeout(None)
        return connection


def _to_agent(stream: ChannelStream, agent: socket.socket) -> None:
    try:
        with contextlib.suppress(OSError):
            while data := stream.recv(READ_SIZE):
                agent.sendall(data)
    finally:
        with contextlib.suppress(OSError):
            agent.shutdown(socket.SHUT_RDWR)


def _to_program(agent: socket.socket, stream: ChannelStream) -> None:
    try:
        with contextlib.suppress(OSError):
            while data := agent.recv(READ_SIZE):
                stream.sendall(data)
    finally:
        stream.close()  # which wakes the thread that waits for the program
