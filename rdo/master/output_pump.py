"""Relays the output of one command to the client, then its exit status. The thread that receives output sends it itself
if the client accepts it at once and nothing has to be replaced in it; otherwise a separate thread does."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Protocol

from rdo.drivers.base import STDERR, STDOUT, Chunk
from rdo.errors import LinkLost
from rdo.fscodec import fsencode
from rdo.ipc import protocol
from rdo.master.client_connection import ClientConnection, ClientGone
from rdo.master.pty_screen import PtyScreen
from rdo.pool.shell import Shell
from rdo.remote_sh.markers import Mark, Marks
from rdo.util import threads

if TYPE_CHECKING:
    from rdo.master.auto_forward import AutoForward
    from rdo.master.mapped_output import MappedOutput


class Owner(Protocol):
    """What the pump needs of the session that runs the command."""

    def handle_mark(self, mark: str) -> None:
        """Act on a mark from a pty. May raise ClientGone."""

    def end_writer(self) -> None:
        """End a command that keeps writing although nobody reads."""

    def explain(self, error: LinkLost) -> LinkLost:
        """The error as the client should see it."""


class OutputPump:
    """Relays what arrives on a shell's channel.

    `roots` maps directories of the target to local names, for output; it is empty if output is to pass unchanged.
    `ports` examines the output for URLs. `finish` does the work after the command, and turns its status into the one to
    report.
    """

    def __init__(
        self,
        client: ClientConnection,
        shell: Shell,
        roots: Mapping[str, str],
        owner: Owner,
        finish: Callable[[int], int] | None = None,
        *,
        ports: AutoForward | None = None,
    ) -> None:
        self._client = client
        self._owner = owner
        self._finish_command = finish
        self._shell = shell
        self._channel = shell.channel
        self._marks = Marks(shell.secret, anywhere=shell.pty)
        self.screen = PtyScreen() if shell.pty else None
        self._mapped = self._mapping(roots, ports)
        self._look_at = ports.look_at if ports and not ports.maps_output else None
        self._drops_stdout = False
        """Whether nobody reads stdout any more."""
        self._forced_status: int | None = None
        """The status of the command, if it has ended while other processes hold its streams."""
        self.may_show = threading.Event()
        """Cleared to hold back output, except for what is on its way."""
        self.may_show.set()
        self._waits_for_output = True
        """Whether no output is on its way to the client."""
        self._shown = 0
        self._end_writer_at = math.inf
        self._over = threading.Event()
        """Set when nothing more is sent to the client."""
        self.status: int | None = None
        """The exit status, once it is known."""
        self.ended = threading.Event()
        """Set when the exit status is known."""
        self.cut = False
        """Whether the exit status will never be known, because the channel or the connection was lost."""

    def _mapping(self, roots: Mapping[str, str], ports: AutoForward | None) -> MappedOutput | None:
        """The object that replaces paths and ports in the output; None if nothing is to be replaced."""
        local_port = ports.local_port if ports and ports.maps_output else None
        if not roots and local_port is None:
            return None
        from rdo.master.mapped_output import MappedOutput  # few commands need it, and it takes a while to load

        return MappedOutput(roots, self._channel, self._send, local_port)

    def start(self) -> None:
        """Start relaying. To be called once, when the command has started."""
        simple = not (self._shell.pty or self._mapped or self._shell.pending)
        try:
            if not simple or not self._channel.watch(self._offer, self._go_on):
                threads.start(self._relay, name="output")
        except BaseException as error:
            self.break_off(error)

    def say(self, line: str) -> None:
        """Have the client show a line on stderr. Raises ClientGone."""
        pty = self._shell.pty
        self._client.send(_kind(STDOUT if pty else STDERR), fsencode(line) + (b"\r\n" if pty else b"\n"))

    def drop(self, grace: float) -> None:
        """Drop stdout from now on. If output continues for `grace` seconds, the command is ended."""
        self._drops_stdout = True
        self._end_writer_at = time.monotonic() + grace

    @property
    def idle_at(self) -> int | None:
        """The number of pieces sent so far; None while the client does not accept the next one."""
        return self._shown if self._waits_for_output else None

    def end_with(self, status: int) -> None:
        """End with this status, without waiting for other processes that hold the streams."""
        self._forced_status = status
        self._channel.close()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing more is sent to the client, and return whether that is so."""
        return self._over.wait(timeout)

    def _go_on(self, over: bool) -> None:
        """Read the channel, or note its end. Called by the thread that serves the whole connection."""
        try:
            if not over or self._finish_command or not self._end_at_once(self._channel.exit_status()):
                threads.start(self._relay, name="output")
        except BaseException as error:
            self.break_off(error)

    def _end_at_once(self, status: int) -> bool:
        self.status = status
        # first, since a client that has the status exits at once, and the command must not be ended then
        self.ended.set()
        with contextlib.suppress(ClientGone):
            if not self._client.offer(protocol.EXIT, _payload(status)):
                return False
        self._finish()
        return True

    def break_off(self, error: BaseException) -> None:
        """Report an error to the client, and nothing else. The thread that serves the client then ends the command."""
        self._client.break_off(error)
        self._over.set()

    def _finish(self) -> None:
        self._over.set()
        self._client.close()

    # In a separate thread

    def _relay(self) -> None:
        try:
            self._relay_chunks()
            if self._forced_status is None and not self._channel.ended and not self._shell.pty:
                self._client.send(protocol.END)
            status = self._channel.exit_status() if self._forced_status is None else self._forced_status
            self.status = status
            self.ended.set()
            if self._finish_command:
                status = self._finish_command(status)
            self._client.send(protocol.EXIT, _payload(status))
        except LinkLost as error:
            self.cut = True
            self._client.fail(self._owner.explain(error))
        except ClientGone:
            pass
        except BaseException as error:
            self._client.fail(error)
        finally:
            self._finish()

    def _relay_chunks(self) -> None:
        read = self._mapped.read if self._mapped else partial(self._channel.read, None, self._offer)
        send = self._mapped.send if self._mapped else self._send
        for early in self._shell.pending:
            self._show(early, send)
        while (chunk := read()) is not None:
            self._waits_for_output = False
            self._show(chunk, send)
            self._waits_for_output = True
            self._shown += 1
        if held := self._marks.end():
            send(STDOUT, held)
        if self._mapped:
            self._mapped.release()

    def _show(self, chunk: Chunk, send: Callable[[int, bytes | memoryview], None]) -> None:
        if not self._may_have_marks(chunk.stream, chunk.data):
            return send(chunk.stream, chunk.data)
        for piece in self._marks.receive(chunk.data):
            if isinstance(piece, Mark):
                self._owner.handle_mark(piece.text)
            else:
                if self.screen is not None and self.screen.show(piece):
                    self._send_screen(self.screen)
                send(STDOUT, piece)

    def _may_have_marks(self, stream: int, data: bytes | memoryview) -> bool:
        return (stream == STDOUT or self._shell.pty) and self._marks.may_be_in(data)

    def _send_screen(self, screen: PtyScreen) -> None:
        with contextlib.suppress(ClientGone):  # see `_send`
            self._client.send(protocol.SCREEN, b"1" if screen.is_drawn_on else b"0")

    def _send(self, stream: int, data: bytes | memoryview) -> None:
        """Send output, or drop it if nobody reads it any more, so that the command can finish."""
        self.may_show.wait()
        if self._drops_stdout and stream == STDOUT:
            if time.monotonic() > self._end_writer_at:
                self._end_writer_at = math.inf
                self._owner.end_writer()
            return
        try:
            self._client.send(_kind(stream), data)
        except ClientGone:
            self._drops_stdout = True
        if self._look_at:
            self._look_at(data)

    def _offer(self, stream: int, data: bytes | memoryview) -> bool:
        """Send output, or its end, if that needs no waiting, since this runs in the thread that serves the whole
        connection."""
        if self._may_have_marks(stream, data):
            return False
        self._shown += 1
        try:
            is_free = self.may_show.is_set() and not self._drops_stdout
            taken = is_free and self._client.offer(_kind(stream) if data else protocol.END, data)
        except Exception:
            return False  # the next `_send` fails in the same way
        if taken and self._look_at:
            self._look_at(data)
        return taken


def _kind(stream: int) -> bytes:
    return protocol.OUTPUT if stream == STDOUT else protocol.ERROR


def _payload(status: int) -> bytes:
    return bytes([status & 0xFF])
