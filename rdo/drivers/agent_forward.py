"""ForwardAgent: lets programs on the target use the SSH agent of the caller, one stream for each that asks."""

from __future__ import annotations

import contextlib
import socket

from paramiko.channel import Channel

from rdo import thread
from rdo.errors import SetupError

PIECE = 64 * 1024
"""Bytes read at once; agent messages are smaller."""


class AgentForward:
    """Connects streams that the server opens to the agent's socket at `path`."""

    def __init__(self, path: str) -> None:
        self._path = path

    def accept(self, stream: Channel) -> None:
        """Serve one stream; returns at once. Its threads end with it, and so at the latest with the link."""
        agent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            agent.connect(self._path)
        except OSError:  # the agent has gone: the program sees an agent that hangs up
            agent.close()
            thread.start(stream.close, name="rdo-agent")
            return
        try:
            for work in (_to_agent, _from_agent):
                thread.start(work, stream, agent, name="rdo-agent")
        except SetupError:  # this is the thread that serves the whole link, which goes on
            agent.close()


def _to_agent(stream: Channel, agent: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := stream.recv(PIECE):
            agent.sendall(data)
        agent.shutdown(socket.SHUT_RDWR)


def _from_agent(stream: Channel, agent: socket.socket) -> None:
    with contextlib.suppress(OSError, EOFError), agent:
        while data := agent.recv(PIECE):
            stream.sendall(data)
    with contextlib.suppress(OSError, EOFError):
        stream.close()
