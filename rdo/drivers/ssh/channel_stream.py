"""A channel as a byte stream that can carry more: another connection, through this host; or the talk with our agent."""

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
"""Seconds that sending waits for room, before the sender checks whether it still should."""

READ_SIZE = 64 * 1024
"""Bytes read at once; agent messages are smaller."""

WINDOW = 256 * 1024
"""Bytes that a program may send before the agent has read them: the longest message that OpenSSH's agent takes."""

STREAM_LIMIT = 64
"""At the same time: each costs two threads. A further program sees an agent that cannot be reached."""

GONE = (OSError, LinkLost, SetupError)
"""The agent, the connection, or the room for a thread: the program sees an agent that hangs up."""


class ChannelStream:
    """The ByteStream of rdo.drivers.ssh.monitored_stream. For one thread that reads, and one that sends."""

    def __init__(self, channel: SshChannel) -> None:
        self._channel = channel
        self._timeout: float | None = None
        self._left = memoryview(b"")

    def send(self, data: bytes | memoryview) -> int:
        """Send what there is room for. Raises TimeoutError, OSError."""
        try:
            size = self._channel.write_some(memoryview(data), SEND_CHECK_INTERVAL)
        except LinkLost as error:
            raise ConnectionResetError(str(error)) from None
        if size is None:
            raise BrokenPipeError
        return size

    def sendall(self, data: bytes | memoryview) -> None:
        """Send it all, however long that takes; nothing once the channel has ended. Raises OSError."""
        try:
            self._channel.write(data)
        except LinkLost as error:
            raise ConnectionResetError(str(error)) from None

    def recv(self, size: int) -> bytes:
        """Read what there is, at most so much; nothing at the end. Raises TimeoutError."""
        if not self._left:
            chunk = self._channel.read(self._timeout)
            if chunk is None:
                return b""
            self._left = memoryview(chunk.data)
        data, self._left = bytes(self._left[:size]), self._left[size:]
        return data

    def settimeout(self, seconds: float | None) -> None:
        """How long `recv` waits."""
        self._timeout = seconds

    def close(self) -> None:
        """End it, and wake whoever waits."""
        self._channel.close()


class AgentForward:
    """ForwardAgent: lets programs on the target use the SSH agent of the caller, whose socket is at `path`.

    The server opens one stream for each program that asks.
    """

    def __init__(self, path: str, transport: SshTransport, target: str) -> None:
        self._path = path
        self._transport = transport
        self._target = target
        self._room = threading.Semaphore(STREAM_LIMIT)  # streams that may be opened

    def accept(self, details: Body) -> SshChannel | None:
        """The near end of one more channel, or None for too many. Its threads end with it, so at the latest with the
        link.
        """
        if not self._room.acquire(blocking=False):
            return None
        channel = SshChannel(self._transport, self._target, lambda: None, WINDOW)
        try:
            threads.start(self._serve, channel, name="rdo-agent")
        except SetupError:  # this is the thread that serves the whole connection, which goes on
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
        stream.close()  # and so wakes who waits for more from the program
