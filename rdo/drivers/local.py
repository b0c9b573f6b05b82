"""This machine as the target: /bin/sh as a child of the control master, in a session of its own."""

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
from collections.abc import Callable, Mapping, Sequence

from rdo.drivers.base import NO_VARIABLES, READ_SIZE, STDERR, STDOUT, Caller, Chunk, Pty, Root, Sink, WindowSize
from rdo.errors import ConnectError

TAKE_TERMINAL = 'exec /bin/sh -c "$0" <"$1" >"$1" 2>&1'
"""The leader of a new session makes a terminal its own by opening it."""

ALARM = 0
"""Beside STDOUT and STDERR: wakes the reader of a channel that is closed."""

END_TIMEOUT = 3.0
"""Seconds for programs to end once their streams are gone: the lifeline kills after 2."""

OF_MAKE = frozenset({"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MAKE_TERMERR", "MAKE_TERMOUT", "MFLAGS"})
"""Of the make that the first caller may be a recipe of: its `-n` would count for each make that later commands run."""


class LocalDriver:
    """`driver = "local"`: the same pipeline without a link."""

    target = "local"

    def __init__(self, root: str, directory: str | None) -> None:
        self._root = Root(root, directory or root)

    def roots(self) -> Sequence[Root]:
        """The project's folder is itself, unless `directory` names another one."""
        return [self._root]

    def not_shared(self, directory: str) -> None:
        """See base.Driver."""

    def variables(self, caller: Caller) -> Mapping[str, str]:
        """None: the environment of whoever started the master is there anyway."""
        return {}

    def connect(self, caller: Caller) -> LocalConnection:
        """Nothing to connect to."""
        return LocalConnection({name: value for name, value in caller.environment.items() if name not in OF_MAKE})


class LocalConnection:
    """Children of this process; ended with it."""

    runs_sh = True

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._channels: set[LocalChannel] = set()

    def open_channel(
        self, command: str, pty: Pty | None, variables: Mapping[str, str] = NO_VARIABLES
    ) -> LocalChannel:
        """Start `/bin/sh -c command`, with the environment of the first caller, in that user's home folder."""
        try:
            channel = LocalChannel(command, pty, self._environment)
        except OSError as error:
            raise ConnectError("cannot start `/bin/sh`", str(error.strerror)) from None
        self._channels = {other for other in self._channels if not other.ended} | {channel}
        return channel

    def is_alive(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Close all channels, and see their programs off: the lifeline among them takes its time to end others."""
        for channel in self._channels:
            channel.close()
        deadline = time.monotonic() + END_TIMEOUT
        for channel in self._channels:
            channel.wait(max(0.0, deadline - time.monotonic()))


class LocalChannel:
    """A child and the near ends of its streams, or of its pty."""

    def __init__(self, command: str, pty: Pty | None, environment: Mapping[str, str]) -> None:
        self._pty = pty is not None
        self._selector = selectors.DefaultSelector()
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        self._closed = False
        self._alarm, self._bell = os.pipe()
        self._selector.register(self._alarm, selectors.EVENT_READ, ALARM)
        near, far = self._open_pty(pty) if pty else self._open_pipes()
        try:
            self._child = subprocess.Popen(
                ["/bin/sh", "-c", TAKE_TERMINAL, command, os.ttyname(far[0])] if pty else ["/bin/sh", "-c", command],
                stdin=far[0],
                stdout=far[1],
                stderr=far[2],
                cwd=environment.get("HOME") or "/",
                env={**environment, "TERM": pty.term} if pty else environment,
                start_new_session=True,
            )
        finally:
            for fd in set(far):
                os.close(fd)
        self._stdin = near[0]
        for fd, stream in zip(near[1:], (STDOUT, STDERR), strict=False):
            self._selector.register(fd, selectors.EVENT_READ, stream)

    def _open_pty(self, pty: Pty) -> tuple[tuple[int, ...], tuple[int, ...]]:
        near, far = pseudo_terminal.openpty()
        _set_size(far, pty.size)
        return (near, near), (far, far, far)

    def _open_pipes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        (in_far, in_near), (out_near, out_far), (err_near, err_far) = os.pipe(), os.pipe(), os.pipe()
        return (in_near, out_near, err_near), (in_far, out_far, err_far)

    @property
    def ended(self) -> bool:
        """Whether the child has ended."""
        return self._child.poll() is not None

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


def _set_size(fd: int, size: WindowSize) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("4H", *size))
