"""Runs one command at one control master: receives what the master sends, and acts on it.

Each direction blocks, and has its own thread: the main thread receives from the master and writes to the caller's
stdout and stderr; a second one (stdin.py) reads the caller's stdin. The caller's descriptors are shared with other
processes, so their flags (O_NONBLOCK) are never changed. A third thread receives the caller's signals (foreground.py).
"""

from __future__ import annotations

from collections.abc import Callable

from rdo.client import foreground, status_line, stdin, stdout, tty
from rdo.client.trace import Trace
from rdo.errors import LinkLost, RdoError, SetupError
from rdo.fscodec import fsdecode
from rdo.ipc import protocol, sockets
from rdo.ipc.request import Request
from rdo.ipc.startup import log_path

Payload = bytes | memoryview

REQUESTED, ACCEPTED, STARTED, FINISHED, ENDED = "requested", "accepted", "started", "finished", "ended"
"""The states of a running command, in their only order: see TRANSITIONS."""

INTERRUPTED = 128 + 2


class Interrupted(KeyboardInterrupt):
    """Ctrl-C was typed, and has ended the command."""

    def __init__(self, whom: int) -> None:
        """`whom`: whom SIGINT ends, as for kill(2)."""
        super().__init__(whom)
        self.whom = whom


class NotAccepted(Exception):
    """This master did not accept the request, so the command was not started, and another master may be asked."""

    def __init__(self, socket: str = "") -> None:
        """`socket` is the name of the socket to ask; empty for a new master in the same place."""
        self.socket = socket


class RunningCommand:
    """The caller's side of one command, from the request to the exit status: a single attempt."""

    def __init__(
        self, request: Request, connection: sockets.Socket, path: str, trace: Trace, *, is_foreign: bool = False
    ) -> None:
        """The request was sent over `connection`, to the master that listens at `path`. `is_foreign`: see
        Foreground."""
        self._has_input = not request.no_input
        self._is_sync_only = request.sync_only
        self._connection = connection
        self._path = path
        self._trace = trace
        self._state = REQUESTED
        self._outbox = sockets.Outbox(connection)
        self._decoder = protocol.Decoder()
        self._output = stdout.OutputWriter(connection.fileno(), self._decoder, self._outbox)
        self._stdin: stdin.Stdin | None = None
        self._status_line: status_line.StatusLine | None = None
        self._foreground = foreground.Foreground(request, self._outbox, connection, is_foreign)
        self._shown = False
        self._withheld = b""  # a notice that was not shown, since another program had the screen

    def run(self) -> int:
        """The exit status. Raises NotAccepted, and RdoError."""
        try:
            while True:
                for kind, payload in self._receive():
                    status = self._act(kind, payload)
                    if status is not None:
                        return status
        except protocol.ProtocolError as error:
            what = "the control master violated the protocol"
            raise protocol.ProtocolError(what, str(error), "`rdoctl stop --all`") from error
        finally:
            self._erase_status_line()
            self._foreground.leave()

    def _receive(self) -> list[protocol.Frame]:
        size = self._output.splice_rest()
        try:
            data = self._connection.recv(size)
        except OSError:
            data = b""
        if data:
            self._foreground.watch.hear()
            return self._decoder.receive(data)
        if self._state == REQUESTED:
            raise NotAccepted
        if self._state == ACCEPTED:
            hint = f"try again; `{log_path(self._path)}` may say more"
            raise SetupError("the command was not started", "the control master exited", hint)
        if self._foreground.is_interrupted:
            raise KeyboardInterrupt
        if self._state == FINISHED:
            what = "the command ended, but copying its files back did not finish"
            raise LinkLost(what, "the control master exited", "`rdoctl sync pull` copies them")
        if self._foreground.watch.is_wedged:
            hint = "it may still run; `rdoctl stop --now` ends it"
            raise LinkLost("the command was lost", "the control master does not respond", hint)
        hint = "it may have run; see `rdoctl log`"
        raise LinkLost("the command was lost", "the control master exited or ended it", hint)

    def _act(self, kind: bytes, payload: Payload) -> int | None:
        """Act on a frame, and return the exit status once there is one. Raises ProtocolError for a frame that is not
        allowed now."""
        transition = TRANSITIONS[self._state].get(kind)
        if transition is None:
            raise self._violation(kind)
        if kind != protocol.PROGRESS:
            self._erase_status_line()
        action, state = transition
        status = action(self, payload)
        self._state = state
        return status

    def _violation(self, kind: bytes) -> protocol.ProtocolError:
        return protocol.ProtocolError(f"it sent {kind!r} when the command was {self._state}")

    def _erase_status_line(self) -> None:
        if self._status_line:
            self._status_line.erase()

    # Frames, as specified in PROTOCOL.md

    def _accept(self, _: Payload) -> None:
        self._connection.settimeout(None)  # what follows has no time limit

    def _refuse(self, payload: Payload) -> None:
        raise NotAccepted(fsdecode(bytes(payload)))

    def _fail(self, payload: Payload) -> None:
        error = protocol.decode_failure(bytes(payload))
        if self._state in (STARTED, FINISHED):  # whatever it says: nothing may run in its place any more
            raise RdoError(error.what, error.why, error.hint)
        raise error

    def _prompt(self, payload: Payload) -> None:
        self._outbox.send(protocol.ANSWER, tty.answer(bytes(payload)))

    def _progress(self, payload: Payload) -> None:
        self._status_line = self._status_line or status_line.StatusLine(2)
        self._status_line.show(bytes(payload))

    def _note(self, line: Payload) -> None:
        self._withheld = bytes(line) if self._state == STARTED and self._foreground.is_screen_taken() else b""
        if not self._withheld:
            stdout.write(2, bytes(line) + self._foreground.line_end())

    def _open_url(self, url: Payload) -> None:
        from rdo.client import browser  # few commands open one

        withheld, self._withheld = self._withheld, b""
        browser.open_for_command(fsdecode(bytes(url)), withheld, self._foreground.line_end(), self._note)

    def _start(self, payload: Payload) -> None:
        """The command may have been started: from now on signals and stdin are for it."""
        self._trace.step("shell")
        self._foreground.enter(payload == protocol.PTYLESS)
        if self._has_input:
            self._stdin = stdin.Stdin(self._outbox, self._foreground)
            self._stdin.start()

    def _finish(self, _: Payload) -> None:
        """The command has ended: from now on the terminal, its keys and the signals are the caller's."""
        if self._stdin:
            self._stdin.end()
        self._foreground.finish()

    def _show_stdout(self, data: Payload) -> None:
        self._show(1, data)

    def _show_stderr(self, data: Payload) -> None:
        self._show(2, data)

    def _show(self, fd: int, data: Payload) -> None:
        if not self._shown:
            self._shown = True
            self._trace.step("first byte", end=self._foreground.line_end())
        self._foreground.show(data)
        self._output.show(fd, data)

    def _add_credit(self, payload: Payload) -> None:
        if self._stdin:
            self._stdin.add_credit(protocol.decode_credit(bytes(payload)))

    def _end_output(self, _: Payload) -> None:
        self._output.end()

    def _note_screen(self, payload: Payload) -> None:
        self._foreground.is_drawn_on = payload == b"1"

    def _suspend(self, _: Payload) -> None:
        self._foreground.stop_all()

    def _exit_unstarted(self, payload: Payload) -> int:
        """Exit if there was nothing to start, because files were only to be copied."""
        if not self._is_sync_only:
            raise self._violation(protocol.EXIT)
        return self._exit(payload)

    def _exit(self, payload: Payload) -> int:
        self._trace.step("end", end=self._foreground.line_end())
        if len(payload) != 1:
            raise protocol.ProtocolError("malformed exit status")
        if (whom := self._foreground.interrupts(payload[0])) is not None:
            raise Interrupted(whom)
        return payload[0]


Action = Callable[[RunningCommand, Payload], int | None]

TRANSITIONS: dict[str, dict[bytes, tuple[Action, str]]] = {
    REQUESTED: {
        protocol.ACCEPTED: (RunningCommand._accept, ACCEPTED),
        protocol.STALE: (RunningCommand._refuse, ENDED),
        protocol.FAILED: (RunningCommand._fail, ENDED),
    },
    ACCEPTED: {
        protocol.PROMPT: (RunningCommand._prompt, ACCEPTED),
        protocol.NOTICE: (RunningCommand._note, ACCEPTED),
        protocol.PROGRESS: (RunningCommand._progress, ACCEPTED),
        protocol.STARTED: (RunningCommand._start, STARTED),
        protocol.EXIT: (RunningCommand._exit_unstarted, ENDED),
        protocol.FAILED: (RunningCommand._fail, ENDED),
    },
    STARTED: {
        protocol.NOTICE: (RunningCommand._note, STARTED),
        protocol.OUTPUT: (RunningCommand._show_stdout, STARTED),
        protocol.ERROR: (RunningCommand._show_stderr, STARTED),
        protocol.CREDIT: (RunningCommand._add_credit, STARTED),
        protocol.END: (RunningCommand._end_output, STARTED),
        protocol.SCREEN: (RunningCommand._note_screen, STARTED),
        protocol.STOPPED: (RunningCommand._suspend, STARTED),
        protocol.OPEN_URL: (RunningCommand._open_url, STARTED),
        protocol.FINISHED: (RunningCommand._finish, FINISHED),
        protocol.EXIT: (RunningCommand._exit, ENDED),
        protocol.FAILED: (RunningCommand._fail, ENDED),
    },
    FINISHED: {
        protocol.NOTICE: (RunningCommand._note, FINISHED),
        protocol.PROGRESS: (RunningCommand._progress, FINISHED),
        protocol.OPEN_URL: (RunningCommand._open_url, FINISHED),
        protocol.EXIT: (RunningCommand._exit, ENDED),
        protocol.FAILED: (RunningCommand._fail, ENDED),
    },
    ENDED: {},
}
"""Every frame that the master may send in each state: the action, and the state that follows. Any other frame ends the
connection."""
