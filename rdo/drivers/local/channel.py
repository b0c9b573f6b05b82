"""A child process of the control master on this machine: /bin/sh in a session of its own, and our ends of its
streams."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty as pseudo_terminal
import selectors
import struct
import subprocess
import termios
import threading
from collections.abc import Callable

from rdo.drivers.base import READ_SIZE, STDERR, STDOUT, Chunk, Pty, WindowSize
from rdo.drivers.local.caller_context import CallerContext
from rdo.drivers.target_stream import Sink
from rdo.remote_sh.template import load

TAKE_TERMINAL = load("take_terminal")

WAKEUP = 0
"""A selector key beside STDOUT and STDERR: the descriptor that wakes the reader when the channel is closed."""


class LocalChannel:
    """A child process, and our ends of its streams or its pty."""

    def __init__(self, command: str, pty: Pty | None, context: CallerContext) -> None:
        """Raises OSError."""
        self._pty = pty is not None
        self._reading = threading.Lock()
        """Guards the selector and the descriptors in it; held while `read` waits."""
        self._stdin_lock = threading.Lock()
        """Keeps `_stdin` from being closed twice."""
        self._closed = False
        with contextlib.ExitStack() as undo, contextlib.ExitStack() as passed_on:
            self._selector = undo.enter_context(selectors.DefaultSelector())
            self._wakeup, self._wakeup_writer = _held(undo, os.pipe())
            near, far = _open_pty(pty, undo, passed_on) if pty else _open_pipes(undo, passed_on)
            self._child = _spawn(command, pty, context, far)
            undo.pop_all()
        context.apply(self._child.pid)
        self._stdin = near[0]
        self._selector.register(self._wakeup, selectors.EVENT_READ, WAKEUP)
        for fd, stream in zip(near[1:], (STDOUT, STDERR), strict=False):
            self._selector.register(fd, selectors.EVENT_READ, stream)

    @property
    def ended(self) -> bool:
        """Whether the child has ended."""
        return self._child.poll() is not None

    def has_exited(self) -> bool:
        """See base.Channel."""
        return self.ended

    def write(self, data: bytes | memoryview) -> None:
        """See base.Channel."""
        view = memoryview(data)
        with contextlib.suppress(OSError):
            while view and self._stdin >= 0:
                view = view[os.write(self._stdin, view) :]

    def write_first(self, data: bytes) -> None:
        """See base.Channel: an empty pipe has room for a little."""
        self.write(data)

    def try_write(self, data: bytes | memoryview) -> bool:
        """See base.Channel."""
        return False

    def read(self, timeout: float | None = None, sink: Sink | None = None) -> Chunk | None:
        """See base.Channel."""
        with self._reading:
            while not self._closed and len(self._selector.get_map()) > 1:
                ready = self._selector.select(timeout)
                if not ready:
                    raise TimeoutError
                key = ready[0][0]
                data = self._take(key.fd) if key.data != WAKEUP else b""
                if data:
                    return Chunk(key.data, data)
            return None

    def _take(self, fd: int) -> bytes:
        try:
            data = os.read(fd, READ_SIZE)
        except OSError:
            data = b""  # EIO: the far end of the pty is closed
        if not data:
            self._forget(fd)
        return data

    def _forget(self, fd: int) -> None:
        self._selector.unregister(fd)
        if not self._pty:
            os.close(fd)

    def watch(self, sink: Sink, readable: Callable[[bool], None]) -> bool:
        """See base.Channel."""
        return False

    def end_input(self) -> None:
        """See base.Channel."""
        if not self._pty:
            self._close_stdin()

    def _close_stdin(self) -> None:
        with self._stdin_lock:
            if self._stdin >= 0:
                os.close(self._stdin)
                self._stdin = -1

    def stop_reading(self) -> bool:
        """Close our end of stdout: the child gets SIGPIPE when it writes."""
        if self._pty:
            return False
        for key in list(self._selector.get_map().values()):
            if key.data == STDOUT:
                self._forget(key.fd)
        return True

    def resize(self, size: WindowSize) -> None:
        """See base.Channel."""
        with contextlib.suppress(OSError):
            _set_size(self._stdin, size)

    def exit_status(self) -> int:
        """See base.Channel."""
        status = self._child.wait()
        return 128 - status if status < 0 else status

    def wait(self, timeout: float) -> None:
        """Wait for the program to end, for at most `timeout` seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout)

    def close(self) -> None:
        """Close our ends, after waking a thread that waits in `read`. On a pty, this hangs up."""
        if self._closed:
            return
        self._closed = True
        os.write(self._wakeup_writer, b"!")
        with self._reading:
            for key in list(self._selector.get_map().values()):
                if key.data != WAKEUP:
                    self._forget(key.fd)
            self._selector.close()
        self._close_stdin()
        os.close(self._wakeup_writer)
        os.close(self._wakeup)


def _held(stack: contextlib.ExitStack, fds: tuple[int, ...]) -> tuple[int, ...]:
    """Return the descriptors, and have the stack close them."""
    for fd in fds:
        stack.callback(os.close, fd)
    return fds


def _open_pty(pty: Pty, near: contextlib.ExitStack, far: contextlib.ExitStack) -> tuple[tuple[int, ...], ...]:
    """Return the descriptors for this side and for the child. The stacks close them."""
    here, there = pseudo_terminal.openpty()
    _held(near, (here,))
    _held(far, (there,))
    _set_size(there, pty.size)
    return (here, here), (there, there, there)


def _open_pipes(near: contextlib.ExitStack, far: contextlib.ExitStack) -> tuple[tuple[int, ...], ...]:
    """Return the descriptors for this side and for the child. The stacks close them."""
    here: list[int] = []
    there: list[int] = []
    for is_input in (True, False, False):
        reads, writes = os.pipe()
        here += _held(near, (writes if is_input else reads,))
        there += _held(far, (reads if is_input else writes,))
    return tuple(here), tuple(there)


def _spawn(command: str, pty: Pty | None, context: CallerContext, far: tuple[int, ...]) -> subprocess.Popen[bytes]:
    environment = context.environment
    return subprocess.Popen(
        ["/bin/sh", "-c", TAKE_TERMINAL, command, os.ttyname(far[0])] if pty else ["/bin/sh", "-c", command],
        stdin=far[0],
        stdout=far[1],
        stderr=far[2],
        cwd=context.login_directory,
        env={**environment, "TERM": pty.term} if pty else environment,
        umask=context.umask,
        start_new_session=True,
    )


def _set_size(fd: int, size: WindowSize) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("4H", *size))
