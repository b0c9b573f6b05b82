"""One command: asks the control master to run it, and relays streams, signals and the exit status. The hot path.

Two directions, each blocking, each with its own thread: the main thread takes what the master sends and writes it to
the caller's stdout and stderr; a second one reads the caller's stdin. The caller's descriptors are shared with other
processes, so their flags (O_NONBLOCK) are never changed. Signal handlers run in the main thread.
"""

import _signal
import _thread
import errno
import os
import select
import time

from rdo import control, discovery, protocol, tty
from rdo.errors import LinkLost, RdoError, SetupError

ACCEPT_TIMEOUT = 3.0
"""Seconds for a master to accept a request. It does so before anything slow, so that a silent one is wedged."""

ATTEMPTS = 5
"""How many masters to try: each may be ending or outdated just as we come."""

READ_SIZE = 256 * 1024
INPUT_SIZE = 64 * 1024
"""Bytes at a time: what a pipe holds by default."""

OTHERS_TURN = 0.1
"""Seconds until stdin is looked at again while its terminal is somebody else's: there is no event for that."""

FORWARDED = ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2")
BROKEN_PIPE = (errno.EPIPE, errno.EIO, errno.EBADF)


class Abandoned(Exception):
    """The master went away, or would not take the request, before the command was started: another may."""


class Client:
    """The caller's side of one command."""

    def __init__(self, request: protocol.Request, stdin: bool, started: float) -> None:
        self._request = request
        self._stdin = stdin
        self._verbose = b"v" in request.flags
        self._pty = b"p" in request.flags
        self._clock = started
        self._terminal = tty.Terminal(0)
        self._connection: control.Socket
        self._decoder = protocol.Decoder()
        self._outbox: list[bytes] = []
        self._sending = _thread.allocate_lock()
        self._granted = protocol.INPUT_WINDOW  # bytes; written by the main thread only
        self._credit_came = _thread.allocate_lock()
        self._window: tty.WindowSize = request.window
        self._started = False
        self._shown = False
        self._reader_gone = False

    def run(self, path: str) -> int:
        """The exit status of the command, run by the master that listens at `path`. Raises RdoError."""
        config, profile = os.fsdecode(self._request.config), os.fsdecode(self._request.profile)
        for _ in range(ATTEMPTS):
            seen = control.identity(path)
            connection = control.connect(path)
            if connection is not None:
                self._trace("control socket")
                try:
                    return self._converse(connection)
                except Abandoned:
                    connection.close()
            control.start_master(path, config, profile, seen)
            self._trace("control master")
            self._request.stamp = os.fsencode(discovery.stamp(config, discovery.user_file(os.environ)))
        raise SetupError("no control master takes the command", f"tried {ATTEMPTS}", "see `rdoctl status`")

    def _converse(self, connection: control.Socket) -> int:
        self._connection = connection
        self._decoder = protocol.Decoder()
        try:
            connection.sendall(protocol.frame(protocol.RUN, protocol.encode_request(self._request)))
        except OSError:
            raise Abandoned from None
        waiting = select.poll()
        waiting.register(connection, select.POLLIN)
        if not waiting.poll(ACCEPT_TIMEOUT * 1000):
            raise Abandoned
        try:
            while True:
                for kind, payload in self._receive():
                    status = self._handle(kind, payload)
                    if status is not None:
                        return status
        finally:
            self._terminal.restore()

    def _receive(self) -> "list[tuple[bytes, bytes]]":
        try:
            data = self._connection.recv(READ_SIZE)
        except OSError:
            data = b""
        if data:
            return self._decoder.receive(data)
        if not self._started:
            raise Abandoned
        raise LinkLost("the command was lost", "the control master ended", "it may have run; see `rdoctl status`")

    def _handle(self, kind: bytes, payload: bytes) -> "int | None":
        """Act on one frame; the exit status once there is one."""
        if kind == protocol.OUTPUT or kind == protocol.ERROR:
            self._show(1 if kind == protocol.OUTPUT else 2, payload)
        elif kind == protocol.EXIT:
            self._trace("end")
            return payload[0]
        elif kind == protocol.STARTED:
            self._start()
        elif kind == protocol.CREDIT:
            self._granted += protocol.decode_credit(payload)
            if self._credit_came.locked():
                self._credit_came.release()
        else:
            self._handle_rare(kind, payload)
        return None

    def _handle_rare(self, kind: bytes, payload: bytes) -> None:
        if kind == protocol.PROMPT:
            answer = tty.ask(payload[1:].decode("utf-8", "replace"), echo=payload[:1] == b"1")
            text = b"0" if answer is None else b"1" + answer.encode("utf-8", "surrogateescape")
            self._send(protocol.frame(protocol.ANSWER, text))
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
        self._started = True
        self._trace("shell")
        for name in FORWARDED:
            number = getattr(_signal, "SIG" + name)
            if _signal.getsignal(number) != _signal.SIG_IGN:
                _signal.signal(number, self._forward)
        _signal.signal(_signal.SIGCONT, self._continue)
        _signal.signal(_signal.SIGTSTP, self._stop)
        if self._pty:
            _signal.signal(_signal.SIGWINCH, self._resize)
            self._enter_raw()
        else:
            _signal.signal(_signal.SIGWINCH, self._forward)
        if self._stdin:
            self._credit_came.acquire()
            _thread.start_new_thread(self._relay_stdin, ())
        elif not self._pty:  # on a pty the end of input is a key, and nobody pressed it
            self._send(protocol.frame(protocol.END))

    # Output

    def _show(self, fd: int, data: bytes) -> None:
        if not self._shown:
            self._shown = True
            self._trace("first byte")
        try:
            write(fd, data)
        except OSError as error:
            if error.errno not in BROKEN_PIPE:
                raise RdoError(f"cannot write to {'stdout' if fd == 1 else 'stderr'}", str(error.strerror)) from None
            if fd == 1 and not self._reader_gone:
                self._reader_gone = True
                self._send(protocol.frame(protocol.SIGNAL, b"PIPE"))

    def _note(self, line: bytes) -> None:
        write(2, line + (b"\r\n" if self._terminal.raw else b"\n"))

    def _trace(self, step: str) -> None:
        if self._verbose:
            self._note(b"rdo: %7.1f ms  %s" % ((time.monotonic() - self._clock) * 1000, step.encode()))

    # Input

    def _relay_stdin(self) -> None:
        """The second thread: send stdin to its end, within the credit."""
        ready = select.poll()
        ready.register(0, select.POLLIN)
        shared_terminal = not self._terminal.raw and os.isatty(0)
        sent = 0
        while True:
            if shared_terminal:
                self._wait_for_our_turn(ready)
            while sent >= self._granted:
                self._credit_came.acquire()
            try:
                data = os.read(0, min(INPUT_SIZE, self._granted - sent))
            except OSError:
                data = b""
            if not data:
                break
            sent += len(data)
            self._send(protocol.frame(protocol.INPUT, data))
        self._send(protocol.frame(protocol.END))

    def _wait_for_our_turn(self, ready: "select.poll") -> None:
        while True:
            ready.poll()
            if self._terminal.raw or tty.is_ours(0):
                return
            select.select((), (), (), OTHERS_TURN)

    def _send(self, frame: bytes) -> None:
        """Send a frame whole, from any thread and from signal handlers: who holds the lock sends for all."""
        self._outbox.append(frame)
        while self._outbox and self._sending.acquire(False):
            try:
                while self._outbox:
                    self._connection.sendall(self._outbox.pop(0))
            except OSError:
                self._outbox.clear()  # the main thread reads the end of the connection, and says so
            finally:
                self._sending.release()

    # Signals

    def _forward(self, number: int, _frame: object) -> None:
        self._send(protocol.frame(protocol.SIGNAL, NAMES[number]))

    def _resize(self, number: int, _frame: object = None) -> None:
        """Pass on the size; where it is as before, the target's terminal sends no SIGWINCH, so pass that on."""
        window = tty.window_size(1)
        if window != self._window:
            self._window = window
            self._send(protocol.frame(protocol.WINDOW, protocol.encode_window(*window)))
        elif number == _signal.SIGWINCH:
            self._send(protocol.frame(protocol.SIGNAL, b"WINCH"))

    def _enter_raw(self) -> None:
        if self._stdin and os.isatty(0):
            self._terminal.enter_raw()

    def _stop(self, _number: int, _frame: object) -> None:
        """Ctrl-Z: stop the command, then this process. On a pty the stopped job is reported, and that stops us."""
        self._send(protocol.frame(protocol.SIGNAL, b"TSTP"))
        if not self._pty:
            self._stop_self(os.getpid())

    def _stop_self(self, whom: int) -> None:
        """Stop as if the signal had met its default action, so that the shell sees SIGTSTP."""
        self._terminal.restore()
        _signal.signal(_signal.SIGTSTP, _signal.SIG_DFL)
        os.kill(whom, _signal.SIGTSTP)
        _signal.signal(_signal.SIGTSTP, self._stop)

    def _continue(self, number: int, _frame: object) -> None:
        if self._pty:
            self._enter_raw()
            self._resize(number)
        self._send(protocol.frame(protocol.SIGNAL, b"CONT"))


NAMES = {getattr(_signal, "SIG" + name): name.encode() for name in (*FORWARDED, "WINCH")}


def write(fd: int, data: bytes) -> None:
    """Write all of `data`, whether or not somebody made the descriptor non-blocking."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            select.select((), (fd,), ())
