"""One program on the target over an SSH session channel: its start, terminal and exit status (RFC 4254, section 6)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from rdo.drivers.base import ChannelRefused, Opening, PtyRefused, Sink, WindowSize
from rdo.drivers.ssh import messages
from rdo.drivers.ssh.channel_stream import OpenRefused, SshChannel
from rdo.drivers.ssh.fields import Body
from rdo.drivers.ssh.transport import SshTransport
from rdo.errors import LinkLost

UNKNOWN_CHANNEL_TYPE = 3
PTY = "make a terminal"


class SessionChannel(SshChannel):
    """The Channel of rdo.drivers.base."""

    def __init__(self, transport: SshTransport, target: str, done: Callable[[], None]) -> None:
        """See SshStream."""
        super().__init__(transport, target, done)
        self._unanswered: deque[str] = deque()
        self._ptyless = False  # as the server makes no terminal

    @property
    def ended(self) -> bool:
        return self._received.status is not None or self._closing

    def has_exited(self) -> bool:
        return self.ended

    def start(self, command: str, opening: Opening, *, agent: bool = False) -> None:
        """Wait for the channel, then start the program, without waiting for that. Raises ChannelRefused, LinkLost.

        `agent`: let the program use our SSH agent.
        """
        try:
            self.wait_until_open()
        except OpenRefused as error:
            if error.code == UNKNOWN_CHANNEL_TYPE:
                raise LinkLost(f"`{self._target}` allows no commands", str(error)) from None
            raise ChannelRefused(str(error)) from None
        if agent:
            self._send(messages.forward_agent(self._remote))
        if opening.pty is not None:
            self._unanswered.append(PTY)
            self._send(messages.make_pty(self._remote, opening.pty))
        for name, value in opening.variables.items():
            self._send(messages.set_variable(self._remote, name, value))
        self._unanswered.append("run a command")
        self._send(messages.execute(self._remote, command))

    def watch(self, sink: Sink, readable: Callable[[bool], None]) -> bool:
        self._received.watch(sink, readable)
        return True

    def stop_reading(self) -> bool:
        if not self._transport.is_openssh():
            return False
        if not self._closing:
            self._tell(messages.end_of_write(self._remote))
        return True

    def resize(self, size: WindowSize) -> None:
        if not self._closing:
            self._tell(messages.change_window(self._remote, size))

    def exit_status(self) -> int:
        status = self._received.wait_for_status()
        if self._ptyless:
            raise PtyRefused(f"`{self._target}` gives no terminal", "PermitTTY there, or no room for one")
        if status is None:
            raise self._lost(self._why or "the server gave no exit status")
        return status

    # What follows is called by the connection.

    def _answer(self, body: Body) -> None:
        status, reply = messages.request(body)
        if status is not None:
            self._received.arrive_status(status)
        self._reply_to_request(reply)

    def _succeed(self, body: Body) -> None:
        if self._unanswered:  # else an answer to nothing, which ssh(1) passes over, too
            self._unanswered.popleft()

    def _fail(self, body: Body) -> None:
        if self._unanswered:
            request = self._unanswered.popleft()
            self._ptyless = self._ptyless or request == PTY
            self._why = f"the server refused to {request}"
            self.close()
