"""The output of one command on its way to the client, and then the exit status: by the thread that receives it, if the
client takes it at once and it needs no change; else by a thread of its own.
"""

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
    """What runs the command."""

    def obey(self, mark: str) -> None:
        """Act on a mark of a pty. May raise ClientGone."""

    def end_writer(self) -> None:
        """End a command that keeps writing what nobody reads."""

    def explain(self, error: LinkLost) -> LinkLost:
        """The error as the client is to see it."""


class OutputPump:
    """Relays what comes over a shell's channel.

    `roots`: directories of the target to their local names, for output; empty if that is to pass as it is. `ports`:
    what takes notice of URLs in it. `finish` does what is left after the command, and makes of its status what to say.
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
        """Nobody reads it any more."""
        self._forced_status: int | None = None
        """With what the command ended, where others still hold its streams."""
        self.may_show = threading.Event()
        """Cleared while output is to be held back, but for what is on its way."""
        self.may_show.set()
        self._waits_for_output = True
        """Nothing is on its way to the client."""
        self._shown = 0
        self._end_writer_at = math.inf
        self._over = threading.Event()
        """Set when nothing more goes to the client."""
        self.status: int | None = None
        """The exit status, once there is one."""
        self.ended = threading.Event()
        """Set when there is an exit status."""
        self.cut = False
        """Whether there will be none, because the channel or the connection was lost."""

    def _mapping(self, roots: Mapping[str, str], ports: AutoForward | None) -> MappedOutput | None:
        """What replaces paths and ports in the output; None where nothing is to be replaced."""
        local_port = ports.local_port if ports and ports.maps_output else None
        if not roots and local_port is None:
            return None
        from rdo.master.mapped_output import MappedOutput  # few ask for it, and it takes a while to load

        return MappedOutput(roots, self._channel, self._send, local_port)

    def start(self) -> None:
        """Begin, once: the command is started."""
        simple = not (self._shell.pty or self._mapped or self._shell.pending)
        try:
            if not simple or not self._channel.watch(self._offer, self._go_on):
                threads.start(self._relay, name="output")
        except BaseException as error:
            self.break_off(error)

    def say(self, line: str) -> None:
        """Have the client show a line where the command's errors go. Raises ClientGone."""
        pty = self._shell.pty
        self._client.send(_kind(STDOUT if pty else STDERR), fsencode(line) + (b"\r\n" if pty else b"\n"))

    def drop(self, patience: float) -> None:
        """Drop what comes on stdout from now on; if that goes on for `patience` seconds, the writer is ended."""
        self._drops_stdout = True
        self._end_writer_at = time.monotonic() + patience

    @property
    def idle_at(self) -> int | None:
        """How many pieces of output were shown; None while the client does not take the next one."""
        return self._shown if self._waits_for_output else None

    def end_with(self, status: int) -> None:
        """The command has ended so: wait no longer for others who have its streams."""
        self._forced_status = status
        self._channel.close()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing more goes to the client: whether it is so."""
        return self._over.wait(timeout)

    def _go_on(self, over: bool) -> None:
        """The channel has to be read, or is over. This is called by the thread that serves the whole connection."""
        try:
            if not over or self._finish_command or not self._end_at_once(self._channel.exit_status()):
                threads.start(self._relay, name="output")
        except BaseException as error:
            self.break_off(error)

    def _end_at_once(self, status: int) -> bool:
        self.status = status
        self.ended.set()  # first: a client that has the status leaves at once, and then its command needs no end
        with contextlib.suppress(ClientGone):
            if not self._client.offer(protocol.EXIT, _payload(status)):
                return False
        self._finish()
        return True

    def break_off(self, error: BaseException) -> None:
        """Report an error to the client, and nothing else; the thread that serves it then ends the command."""
        self._client.break_off(error)
        self._over.set()

    def _finish(self) -> None:
        self._over.set()
        self._client.close()

    # In a thread of its own

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
                self._owner.obey(piece.text)
            else:
                if self.screen is not None and self.screen.show(piece):
                    self._tell_screen(self.screen)
                send(STDOUT, piece)

    def _may_have_marks(self, stream: int, data: bytes | memoryview) -> bool:
        return (stream == STDOUT or self._shell.pty) and self._marks.may_be_in(data)

    def _tell_screen(self, screen: PtyScreen) -> None:
        with contextlib.suppress(ClientGone):  # see `_send`
            self._client.send(protocol.SCREEN, b"1" if screen.is_drawn_on else b"0")

    def _send(self, stream: int, data: bytes | memoryview) -> None:
        """Pass output on, or drop it if nobody reads it any more, so that the command can go on to its end."""
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
        """Pass output on, or its end, if that needs no waiting: this is called by the thread that serves the whole
        connection.
        """
        if self._may_have_marks(stream, data):
            return False
        self._shown += 1
        try:
            is_free = self.may_show.is_set() and not self._drops_stdout
            taken = is_free and self._client.offer(_kind(stream) if data else protocol.END, data)
        except Exception:
            return False  # the next `_send` meets it too
        if taken and self._look_at:
            self._look_at(data)
        return taken


def _kind(stream: int) -> bytes:
    return protocol.OUTPUT if stream == STDOUT else protocol.ERROR


def _payload(status: int) -> bytes:
    return bytes([status & 0xFF])
