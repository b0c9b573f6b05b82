"""One command: asks the control master to run it, and relays streams, signals and the exit status. The hot path.

Two directions, each blocking, each with its own thread: the main thread takes what the master sends and writes it to
the caller's stdout and stderr; a second one (stdin.py) reads the caller's stdin. The caller's descriptors are shared
with other processes, so their flags (O_NONBLOCK) are never changed. A third thread takes the caller's signals.
"""

import _signal
import _thread
import posix
import time

from rdo import control, discovery, output, protocol
from rdo.errors import LinkLost, SetupError

TYPE_CHECKING = False  # as typing has it, without the cost of importing that
if TYPE_CHECKING:
    from rdo import statusline, stdin, tty

ATTEMPTS = 5
"""How many masters to try: each may be ending or outdated just as we come."""

HEEDED = ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "WINCH", "CONT", "TSTP")
NAMES = {getattr(_signal, "SIG" + name): name.encode() for name in HEEDED}


class Abandoned(Exception):
    """The master went away, or would not take the request, before the command was started: another may."""


class Client:
    """The caller's side of one command."""

    def __init__(self, request: protocol.Request, user_file: str, began: float, took: float) -> None:
        """`user_file` is the user's own config file, `began` when this process did, as time.monotonic() has it, and
        `took` how many seconds passed until it had any say.
        """
        self._request = request
        self._user_file = user_file
        self._wants_input = b"n" not in request.flags
        self._verbose = b"v" in request.flags
        self._pty = b"p" in request.flags
        self._began = began
        self._terminal: tty.Terminal | None = None
        self._status_line: statusline.StatusLine | None = None
        self._connection: control.Socket
        self._decoder: protocol.Decoder
        self._outbox: control.Outbox
        self._output: output.Output
        self._stdin: stdin.Stdin | None = None
        self._window = request.window
        self._modes = _thread.allocate_lock()  # of the terminal
        self._over = False
        self._shown = False
        self.started = False  # whether the command may have been
        self._trace("client start", took)

    def run(self, path: str, seen: "control.Identity", connection: "control.Socket | None") -> int:
        """The exit status of the command, run by the master that listens at `path`. Raises RdoError.

        `connection` is to the master whose socket was `seen`, if there is one; the request has been sent.
        """
        config, profile = protocol.decode(self._request.config), protocol.decode(self._request.profile)
        for _ in range(ATTEMPTS):
            if connection is not None:
                self._trace("control socket")
                try:
                    return self._converse(connection)
                except Abandoned:
                    connection.close()
            from rdo import launch

            launch.start_master(path, config, profile, seen)
            self._trace("control master")
            self._request.stamp = protocol.encode(discovery.stamp(config, self._user_file))
            seen, connection = control.identity(path), control.connect(path)
            if connection is not None:
                control.ask(connection, self._request)
        raise SetupError("no control master takes the command", f"tried {ATTEMPTS}", "see `rdoctl status`")

    def _converse(self, connection: control.Socket) -> int:
        self._connection = connection
        self._outbox = control.Outbox(connection)
        self._decoder = protocol.Decoder()
        self._output = output.Output(connection.fileno(), self._decoder, self._outbox)
        frames = self._receive()
        connection.settimeout(None)
        try:
            while True:
                for kind, payload in frames:
                    status = self._handle(kind, payload)
                    if status is not None:
                        return status
                frames = self._receive()
        finally:
            self._over = True
            self._tidy()

    def _receive(self) -> "list[protocol.Frame]":
        size = self._output.pass_on()
        try:
            data = self._connection.recv(size)
        except OSError:
            data = b""
        if data:
            return self._decoder.receive(data)
        if not self.started:
            raise Abandoned
        raise LinkLost("the command was lost", "the control master ended", "it may have run; see `rdoctl status`")

    def _handle(self, kind: bytes, payload: "bytes | memoryview") -> "int | None":
        """Act on one frame; the exit status once there is one."""
        if kind == protocol.OUTPUT:
            self._show(1, payload)
        elif kind == protocol.ERROR:
            self._show(2, payload)
        elif kind == protocol.EXIT:
            self._trace("end")
            return payload[0]
        elif kind == protocol.STARTED:
            self._start()
        elif kind == protocol.CREDIT and self._stdin:
            self._stdin.grant(protocol.decode_credit(bytes(payload)))
        elif kind == protocol.END:
            self._output.end()
        else:
            self._handle_rare(kind, bytes(payload))
        return None

    def _handle_rare(self, kind: bytes, payload: bytes) -> None:
        if self._status_line and kind != protocol.PROGRESS:
            self._status_line.erase()
        if kind == protocol.PROGRESS:
            from rdo import statusline

            self._status_line = self._status_line or statusline.StatusLine(2)
            self._status_line.show(payload)
        elif kind == protocol.PROMPT:
            from rdo import tty

            self._outbox.send(protocol.ANSWER, tty.answer(payload))
        elif kind == protocol.NOTICE:
            self._note(payload)
        elif kind == protocol.STOPPED:
            self._stop_self(0)  # as the terminal does: all that runs in the foreground with us
        elif kind == protocol.STALE:
            raise Abandoned
        elif kind == protocol.FAILED:
            raise protocol.decode_failure(payload)

    def _start(self) -> None:
        """The command is on its way: from now on signals are its, and so is stdin."""
        self.started = True
        self._tidy()
        self._trace("shell")
        heeded = {number for number in NAMES if _signal.getsignal(number) != _signal.SIG_IGN}
        _signal.pthread_sigmask(_signal.SIG_BLOCK, heeded)
        _thread.start_new_thread(self._heed, (heeded,))
        self._enter_raw()
        if self._wants_input:
            from rdo import stdin

            self._stdin = stdin.Stdin(self._outbox, self._is_raw)
            self._stdin.start()

    # Output

    def _show(self, fd: int, data: "bytes | memoryview") -> None:
        if not self._shown:
            self._shown = True
            self._trace("first byte")
        self._output.show(fd, data)

    def _note(self, line: bytes) -> None:
        output.write(2, line + (b"\r\n" if self._is_raw() else b"\n"))

    def _trace(self, step: str, at: "float | None" = None) -> None:
        """With -v, say when the step was done: now, or `at` so many seconds after the process began."""
        if self._verbose:
            seconds = time.monotonic() - self._began if at is None else at
            self._note(b"rdo: %7.1f ms  %s" % (seconds * 1000, step.encode()))

    # Signals

    def _heed(self, heeded: "set[int]") -> None:
        """Take the caller's signals, in a thread of its own.

        Python runs a handler in the main thread, but not if the signal came when that was just about to wait.
        """
        while True:
            number = _signal.sigwait(heeded)
            if number == _signal.SIGCONT:
                self._continue()
            elif number == _signal.SIGTSTP:
                self._stop()
            elif number == _signal.SIGWINCH and self._pty:
                self._resize(number)
            else:
                self._outbox.send(protocol.SIGNAL, NAMES[number])

    def _resize(self, number: int) -> None:
        """Pass on the size; where it is as before, the target's terminal sends no SIGWINCH, so pass that on."""
        from rdo import tty

        window = tty.window_size(1)
        if window != self._window:
            self._window = window
            self._outbox.send(protocol.WINDOW, protocol.encode_window(*window))
        elif number == _signal.SIGWINCH:
            self._outbox.send(protocol.SIGNAL, b"WINCH")

    def _is_raw(self) -> bool:
        """Whether we hold the caller's terminal in raw mode."""
        return self._terminal is not None and self._terminal.raw

    def _enter_raw(self) -> None:
        if self._pty and self._wants_input and posix.isatty(0):
            from rdo import tty

            with self._modes:
                self._terminal = self._terminal or tty.Terminal(0)
                if not self._over:
                    self._terminal.enter_raw()

    def _tidy(self) -> None:
        """Leave the caller's terminal as it was found."""
        if self._status_line:
            self._status_line.erase()
        with self._modes:
            if self._terminal:
                self._terminal.restore()

    def _stop(self) -> None:
        """Ctrl-Z: stop the command, then this process. On a pty the stopped job is reported, and that stops us."""
        self._outbox.send(protocol.SIGNAL, b"TSTP")
        if not self._pty:
            self._stop_self(posix.getpid())

    def _stop_self(self, whom: int) -> None:
        """Stop as if the signal had met its default action, so that the shell sees SIGTSTP."""
        self._tidy()
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGTSTP,))
        posix.kill(whom, _signal.SIGTSTP)
        _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGTSTP,))

    def _continue(self) -> None:
        self._enter_raw()
        if self._pty:
            self._resize(_signal.SIGCONT)
        self._outbox.send(protocol.SIGNAL, b"CONT")
