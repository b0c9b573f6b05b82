"""The caller's signals and terminal modes, while one command runs."""

from __future__ import annotations

import _signal
import _thread
import os
import sys

from rdo.client import stdout, threads, tty
from rdo.client.master_watch import MasterWatch
from rdo.ipc import protocol, sockets
from rdo.ipc.request import Request

FORWARDED_SIGNALS = ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "WINCH", "CONT", "TSTP")
FATAL_SIGNALS = ("INT", "TERM", "HUP", "QUIT")
"""Signals with which the caller expects to end the command."""

WATCHED = "watched"
"""An option of Python (-X) with which `rdo --watch` starts each run."""

SI_KERNEL = 0x80
"""The origin, in sigaction(2), of a signal that the system itself sends, as it sends SIGINT for a key."""

SIGNAL_NAMES = {getattr(_signal, "SIG" + name): name.encode() for name in FORWARDED_SIGNALS}


class Foreground:
    """What a command takes over while it runs: signals and, if it has a pty and reads, the terminal in raw mode."""

    def __init__(self, request: Request, outbox: sockets.Outbox, connection: sockets.Socket, is_foreign: bool) -> None:
        """`connection` leads to the master, and is shut down if that turns out to be wedged. `is_foreign`: stdin was a
        terminal without job control for us, which cannot be found out once that is gone."""
        self._request = request
        self._outbox = outbox
        self._connection = connection
        self._pty = request.pty
        self._takes_keys = self._pty and not request.no_input
        self._is_foreign = is_foreign
        self.hangs_up = False
        """Whether the end of input means that the terminal is gone. The system reports that by SIGHUP, but only to the
        terminal's own session."""
        self._window = request.window
        self._modes = _thread.allocate_lock()  # guards the two below: the thread for signals sets modes as well
        self._terminal: tty.Terminal | None = None
        self._over = False
        self._is_finishing = False
        self.is_interrupted = False
        """Whether SIGINT came after `finish`."""
        self.is_interrupt_typed = False
        """Whether Ctrl-C was typed, if that is known."""
        self._is_interrupt_last = False
        """Whether Ctrl-C was the last key typed for the command."""
        self.is_drawn_on = False
        """Whether the pty shows the alternate screen."""
        self._last = b"\n"  # byte of the pty's output
        self.watch = MasterWatch(connection, outbox, self._report)

    def enter(self, ptyless: bool) -> None:
        """Note that the command is running; `ptyless`: without the pty that was asked for. To be called once."""
        if ptyless:
            self._pty = self._takes_keys = False
        self.hangs_up = self._takes_keys and self._is_foreign
        self._takes_keys = self._takes_keys and os.isatty(0)
        taken = {number for number in SIGNAL_NAMES if _signal.getsignal(number) != _signal.SIG_IGN}
        _signal.pthread_sigmask(_signal.SIG_BLOCK, taken)
        threads.start(self._forward_signals, taken)
        if not self._request.sync_only:
            threads.start(self.watch.run, self._is_past)
        self._enter_raw()
        if self._pty:
            self._send_window()  # it may have been resized while the target was being connected

    def finish(self) -> None:
        """Note that the command has ended, and its files are being copied: from now on, SIGINT ends the connection, and
        other signals end this process."""
        self._is_finishing = True
        self.leave()

    def leave(self) -> None:
        """Restore the terminal, since the command has ended."""
        with self._modes:
            self._over = True
        self._restore()

    def is_raw(self) -> bool:
        """Whether the caller's terminal is in raw mode."""
        return self._terminal is not None and self._terminal.raw

    def has_suspend_key(self, typed: bytes) -> bool:
        """Whether the input may stop the command."""
        return self._terminal is not None and self._terminal.has_suspend_key(typed)

    def note_keys(self, typed: bytes) -> None:
        """Note that these keys were typed for the command."""
        self._is_interrupt_last = self._terminal is not None and self._terminal.ends_with_interrupt_key(typed)

    def interrupts(self, status: int) -> int | None:
        """Whom SIGINT ends now that the command has ended with this status, as for kill(2); None if Ctrl-C was not
        typed.

        In raw mode, only the command got the key, but the terminal would have interrupted everything in the foreground,
        such as the script that runs the command. `rdo --watch` ends even if the command caught the signal.
        """
        is_interrupted = status == 128 + _signal.SIGINT
        if is_interrupted and self._is_interrupt_last and not self._is_foreign:
            return 0
        if (WATCHED in sys._xoptions and self._is_interrupt_last) or (is_interrupted and self.is_interrupt_typed):
            return os.getpid()
        return None

    def awaits_terminal(self) -> bool:
        """Whether the command, which was started with `&` or continued there, gets the keys once it is in the
        foreground."""
        return self._takes_keys and not self.is_raw()

    def take_terminal(self) -> None:
        """Take the terminal if it is in the foreground by now: a shell sends no signal to a running job."""
        self._enter_raw()
        if self.is_raw():
            self._send_window()

    def line_end(self) -> bytes:
        """The end of a line that is shown now."""
        return b"\r\n" if self.is_raw() else b"\n"

    def is_screen_taken(self) -> bool:
        """Whether another program has the screen of the caller's terminal, such as a pager that shows the command's
        output."""
        return not self.is_raw() and tty.takes_keys(2)

    def show(self, data: bytes | memoryview) -> None:
        """Note that this output is shown."""
        if self._pty and data:
            self._last = bytes(data[-1:])

    def _report(self, text: str) -> bool:
        """Show a line of rdo's own, like a NOTICE of the master, and return whether that was possible."""
        wanted = self._request.progress or self._request.verbose
        if not wanted or self.is_drawn_on or self.is_screen_taken():
            return False
        start = b"" if self._last in b"\r\n" else b"\r\n"
        self._last = b"\n"
        stdout.write(2, start + f"rdo: {text}".encode() + self.line_end())
        return True

    def _is_past(self) -> bool:
        return self._over or self._is_finishing

    def stop_all(self) -> None:
        """Stop everything in the foreground, as the terminal would. On a terminal without job control this stops
        nothing."""
        if self._is_foreign:
            self._continue()
        else:
            self._stop(0)

    def _enter_raw(self) -> None:
        if self._takes_keys:
            with self._modes:
                self._terminal = self._terminal or tty.Terminal(0)
                if not self._over:
                    self._terminal.enter_raw()

    def _restore(self) -> None:
        with self._modes:
            if self._terminal:
                self._terminal.restore()

    # Signals

    def _forward_signals(self, taken: set[int]) -> None:
        """Receive the caller's signals, in a thread of its own.

        Python runs handlers in the main thread, but not if the signal arrived when that was just about to wait.
        """
        while True:
            number = self._wait_for_signal(taken)
            if self._is_finishing:
                self._let_act(number)
            elif number == _signal.SIGCONT:
                self._continue()
            elif number == _signal.SIGTSTP:
                self._suspend()
            elif number == _signal.SIGWINCH and self._pty:
                self._resize(number)
            else:
                self._outbox.send(protocol.SIGNAL, SIGNAL_NAMES[number])
                if SIGNAL_NAMES[number].decode() in FATAL_SIGNALS:
                    self.watch.is_signalled = True  # after it was sent: a check in between would find everything read

    def _wait_for_signal(self, taken: set[int]) -> int:
        if not hasattr(_signal, "sigwaitinfo"):  # macOS
            return int(_signal.sigwait(taken))
        info = _signal.sigwaitinfo(taken)
        if info.si_signo == _signal.SIGINT and info.si_code == SI_KERNEL:
            self.is_interrupt_typed = True
        return int(info.si_signo)

    def _let_act(self, number: int) -> None:
        """Let a signal have its default effect; SIGINT ends what the main thread waits for."""
        if number == _signal.SIGINT:
            self.is_interrupted = True
            self._connection.shutdown(2)  # in both directions
            return
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (number,))
        os.kill(os.getpid(), number)
        _signal.pthread_sigmask(_signal.SIG_BLOCK, (number,))

    def _resize(self, number: int) -> None:
        """Send the window size. If it has not changed, the target's terminal sends no SIGWINCH, so forward that."""
        if not self._send_window() and number == _signal.SIGWINCH:
            self._outbox.send(protocol.SIGNAL, b"WINCH")

    def _send_window(self) -> bool:
        """Send the window size if it has changed, and return whether it has."""
        window = tty.window_size(1)
        if window == self._window:
            return False
        self._window = window
        self._outbox.send(protocol.WINDOW, protocol.encode_window(*window))
        return True

    def _suspend(self) -> None:
        """Ctrl-Z: stop the command, then this process. On a pty the command reports that it was stopped, and then we
        stop."""
        self._outbox.send(protocol.SIGNAL, b"TSTP")
        if not self._pty:
            self._stop(os.getpid())

    def _stop(self, whom: int) -> None:
        """Stop as by the default action of SIGTSTP, so that the shell sees that.

        Without a shell, as in a window that was opened for the command alone, the system stops nothing, and the command
        continues at once.
        """
        self._restore()
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGTSTP,))
        os.kill(whom, _signal.SIGTSTP)
        _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGTSTP,))
        os.kill(os.getpid(), _signal.SIGCONT)  # which has arrived already, if we were stopped

    def _continue(self) -> None:
        self._enter_raw()
        if self._pty:
            self._resize(_signal.SIGCONT)
        self._outbox.send(protocol.SIGNAL, b"CONT")
