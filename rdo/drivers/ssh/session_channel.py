"""One program on the target over an SSH session channel: its start, terminal and exit status (RFC 4254, section 6)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum

from rdo.drivers.base import ChannelOptions, ChannelRefused, PtyRefused, Sink, WindowSize
from rdo.drivers.ssh import messages
from rdo.drivers.ssh.channel import OpenRefused, SshChannel
from rdo.drivers.ssh.channel_state import USABLE
from rdo.drivers.ssh.transport import SshTransport
from rdo.errors import LinkLost

UNKNOWN_CHANNEL_TYPE = 3


class PendingRequest(Enum):
    """A request of ours that the server has to answer."""

    PTY = "make a terminal"
    EXEC = "run a command"


class SessionChannel(SshChannel):
    """The Channel of rdo.drivers.base."""

    def __init__(self, transport: SshTransport, target: str, on_end: Callable[[], None]) -> None:
        """See SshChannel."""
        super().__init__(transport, target, on_end)
        self._pending: deque[PendingRequest] = deque()
        """In the order in which they were sent, which is that of their replies."""
        self._has_pty = False
        self._denied: PendingRequest | None = None
        """The first that the server did not grant."""

    @property
    def ended(self) -> bool:
        return self._received.status is not None or self._state not in USABLE

    @property
    def is_ending(self) -> bool:
        """Whether the server is likely to close it soon: its output has ended, or we gave it up."""
        return self.ended or self._received.has_ended

    def has_exited(self) -> bool:
        return self.ended

    def start(self, command: str, opening: ChannelOptions, *, agent: bool = False) -> None:
        """Wait for the channel, then start the program, without waiting for that. Raises ChannelRefused, LinkLost.

        `agent`: let the program use our SSH agent.
        """
        try:
            self.wait_until_open()
        except OpenRefused as error:
            if error.code == UNKNOWN_CHANNEL_TYPE:
                raise LinkLost(f"`{self._target}` allows no commands", str(error)) from None
            raise ChannelRefused(str(error)) from None
        number = self._remote.number
        if agent:
            self._send(messages.forward_agent(number))
        if opening.pty is not None:
            self._has_pty = True
            self._pending.append(PendingRequest.PTY)
            self._send(messages.make_pty(number, opening.pty))
        for name, value in opening.variables.items():
            self._send(messages.set_variable(number, name, value))
        self._pending.append(PendingRequest.EXEC)
        self._send(messages.execute(number, command))

    def watch(self, sink: Sink, readable: Callable[[bool], None]) -> bool:
        self._received.watch(sink, readable)
        return True

    def stop_reading(self) -> bool:
        if not self._transport.is_openssh():
            return False
        self._send_if_possible(messages.end_of_write(self._remote.number))
        return True

    def resize(self, size: WindowSize) -> None:
        self._send_if_possible(messages.change_window(self._remote.number, size))

    def close(self) -> None:
        """Give it up, and hang up on a program that has a terminal.

        sshd sees to that itself; dropbear does not, and keeps the session for as long as the program runs.
        """
        if self._has_pty and not self._transport.is_openssh():
            self._send_if_possible(messages.hang_up(self._remote.number))
        super().close()

    def exit_status(self) -> int:
        status = self._received.wait_for_status()
        if self._denied is PendingRequest.PTY:
            raise PtyRefused(
                f"`{self._target}` did not allocate a terminal",
                "its sshd_config forbids it (PermitTTY), or it has none left",
            )
        if status is None:
            raise self._lost(self._why or "the server reported no exit status")
        return status

    def _receive_reply(self, *, granted: bool) -> None:
        request = self._pending.popleft() if self._pending else None
        if request and not granted:
            self._denied = self._denied or request
            self._why = f"the server refused to {request.value}"
            self.close()
