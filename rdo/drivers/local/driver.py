"""This machine as the target: /bin/sh as a child of the control master, in a session of its own.

A program has its own caller's environment, umask, niceness and limits, and nothing of another's.
"""

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
import time
from collections.abc import Callable, Hashable, Mapping, Sequence

from rdo.drivers.base import NO_VARIABLES, READ_SIZE, STDERR, STDOUT, Caller, Chunk, Pty, Root, Sink, WindowSize
from rdo.drivers.local import start as local_start
from rdo.drivers.local.start import CallerContext
from rdo.errors import ConnectError, LinkLost
from rdo.remote_sh.template import load

TAKE_TERMINAL = load("take_terminal")

ALARM = 0
"""Beside STDOUT and STDERR: wakes the reader of a channel that is closed."""

END_TIMEOUT = 3.0
"""Seconds for programs to end once their streams are gone: the lifeline kills after 2."""


class LocalDriver:
    """`driver = "local"`: the same pipeline without a link."""

    target = "local"
    switches_user = False

    def __init__(self, root: str, directory: str | None) -> None:
        self._root = Root(root, directory or root)

    def roots(self) -> Sequence[Root]:
        """The project's directory is itself, unless `directory` names another one."""
        return [self._root]

    def not_shared(self, directory: str) -> None:
        """See base.Driver."""

    def variables(self, caller: Caller) -> Mapping[str, str]:
        """None: the caller's environment is there anyway."""
        return {}

    def shared_by(self, caller: Caller) -> Hashable:
        """See base.Driver: what a program has of its caller."""
        start = local_start.of(caller)
        return (frozenset(start.environment.items()), *start[1:])

    def connect(self, caller: Caller) -> LocalConnection:
        """Nothing to connect to."""
        return LocalConnection(local_start.of(caller))


class LocalConnection:
    """Children of this process; ended with it."""

    runs_sh = True
    makes_leaders = True

    def __init__(self, start: CallerContext) -> None:
        self._start = start
        self._channels: set[LocalChannel] = set()
        self._lock = threading.Lock()
        self._closed = False

    def open_channel(self, command: str, pty: Pty | None, variables: Mapping[str, str] = NO_VARIABLES) -> LocalChannel:
        """Start `/bin/sh -c command`, as the caller would, in that user's home directory."""
        if self._closed:
            raise LinkLost("`local` is not there any more", "the connection is closed")
        try:
            channel = LocalChannel(command, pty, self._start)
        except OSError as error:
            raise ConnectError("cannot start `/bin/sh`", str(error.strerror)) from None
        with self._lock:
            self._channels = {other for other in self._channels if not other.ended} | {channel}
        return channel

    def is_alive(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Close all channels, and see their programs off: the lifeline among them takes its time to end others."""
        with self._lock:
            self._closed = True
            channels = list(self._channels)
        for channel in channels:
            channel.close()
        deadline = time.monotonic() + END_TIMEOUT
        for channel in channels:
            channel.wait(max(0.0, deadline - time.monotonic()))


class LocalChannel:
    """A child and the near ends of its streams, or of its pty."""

    def __init__(self, command: str, pty: Pty | None, start: CallerContext) -> None:
        """Raises OSError."""
        self._pty = pty is not None
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        self._closed = False
        with contextlib.ExitStack() as undo, contextlib.ExitStack() as passed_on:
            self._selector = undo.enter_context(selectors.DefaultSelector())
            self._alarm, self._bell = _held(undo, os.pipe())
            near, far = _open_pty(pty, undo, passed_on) if pty else _open_pipes(undo, passed_on)
            self._child = _spawn(command, pty, start, far)
            undo.pop_all()
        start.impose(self._child.pid)
        self._stdin = near[0]
        self._selector.register(self._alarm, selectors.EVENT_READ, ALARM)
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

    def offer(self, data: bytes | memoryview) -> bool:
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
                data = self._take(key.fd) if key.data != ALARM else b""
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
        with self._writing:
            if self._stdin >= 0:
                os.close(self._stdin)
                self._stdin = -1

    def stop_reading(self) -> bool:
        """Close the near end of stdout: the child meets SIGPIPE."""
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
        """Wait for the program's end, at most so many seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout)

    def close(self) -> None:
        """Close the near ends; who waits in `read` is woken first. On a pty that hangs up."""
        if self._closed:
            return
        self._closed = True
        os.write(self._bell, b"!")
        with self._reading:
            for key in list(self._selector.get_map().values()):
                if key.data != ALARM:
                    self._forget(key.fd)
            self._selector.close()
        self._close_stdin()
        os.close(self._bell)
        os.close(self._alarm)


def _held(stack: contextlib.ExitStack, fds: tuple[int, ...]) -> tuple[int, ...]:
    """The descriptors, closed with the stack."""
    for fd in fds:
        stack.callback(os.close, fd)
    return fds


def _open_pty(pty: Pty, near: contextlib.ExitStack, far: contextlib.ExitStack) -> tuple[tuple[int, ...], ...]:
    """The descriptors for this side and for the child, held by the stacks."""
    here, there = pseudo_terminal.openpty()
    _held(near, (here,))
    _held(far, (there,))
    _set_size(there, pty.size)
    return (here, here), (there, there, there)


def _open_pipes(near: contextlib.ExitStack, far: contextlib.ExitStack) -> tuple[tuple[int, ...], ...]:
    """The descriptors for this side and for the child, held by the stacks."""
    here: list[int] = []
    there: list[int] = []
    for is_input in (True, False, False):
        reads, writes = os.pipe()
        here += _held(near, (writes if is_input else reads,))
        there += _held(far, (reads if is_input else writes,))
    return tuple(here), tuple(there)


def _spawn(command: str, pty: Pty | None, start: CallerContext, far: tuple[int, ...]) -> subprocess.Popen[bytes]:
    environment = start.environment
    return subprocess.Popen(
        ["/bin/sh", "-c", TAKE_TERMINAL, command, os.ttyname(far[0])] if pty else ["/bin/sh", "-c", command],
        stdin=far[0],
        stdout=far[1],
        stderr=far[2],
        cwd=environment.get("HOME") or "/",
        env={**environment, "TERM": pty.term} if pty else environment,
        umask=start.umask,
        start_new_session=True,
    )


def _set_size(fd: int, size: WindowSize) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("4H", *size))
