"""One command on the demo's target: a child in its own process group, connected to the streams of an SSH channel.

This does what sshd's session.c does, without users, logs and limits. It knows nothing of keys or connections.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from signal import Signals

import paramiko
from paramiko.common import cMSG_CHANNEL_REQUEST

CHUNK = 32 * 1024
"""Bytes to read at a time: as many as fit into one SSH packet."""

TAKE_TERMINAL = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes stdin the controlling terminal, then executes the command. Popen's preexec_fn is unsafe with threads."""


@dataclass(frozen=True)
class Size:
    """The size of a terminal, in characters."""

    rows: int
    columns: int


@dataclass
class Process:
    """A command, its channel and, if one was requested, its pseudo-terminal."""

    channel: paramiko.Channel
    environment: Mapping[str, str]
    directory: str
    argv: list[bytes] = field(default_factory=list)
    started: bool = False
    term: str = ""
    size: Size = Size(24, 80)
    group: int = 0
    _terminal: int = -1
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Run the command in its own thread."""
        self.started = True
        threading.Thread(target=self._run, daemon=True).start()

    def resize(self, size: Size) -> None:
        """Change the size of the terminal, if there is one; the kernel then sends SIGWINCH."""
        with self._lock:
            self.size = size
            if self._terminal >= 0:
                fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.columns, 0, 0))

    def signal(self, number: int) -> None:
        """Send a signal to the command's process group while it is running."""
        with self._lock:
            if self.group:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.group, number)

    def _run(self) -> None:
        try:
            status = self._on_terminal() if self.term else self._on_pipes()
            self._tell(status)
        except OSError as error:  # the directory, /bin/sh or the connection is gone
            print(f"demo server: {error}", file=sys.stderr)
        finally:
            self.channel.close()

    def _on_pipes(self) -> int:
        pipe = subprocess.PIPE
        child = self._spawn(self.argv, stdin=pipe, stdout=pipe, stderr=pipe, environment=self.environment)
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        threading.Thread(target=self._feed, args=(child.stdin.fileno(), child.stdin.close), daemon=True).start()
        errors = threading.Thread(
            target=_drain, args=(child.stderr.fileno(), self.channel.sendall_stderr, child.stderr.close), daemon=True
        )
        errors.start()
        _drain(child.stdout.fileno(), self.channel.sendall, child.stdout.close)
        errors.join()
        return self._end(child)

    def _on_terminal(self) -> int:
        ours, theirs = pty.openpty()
        with self._lock:
            self._terminal = ours
        self.resize(self.size)
        taking = [os.fsencode(sys.executable), b"-I", b"-S", b"-c", TAKE_TERMINAL.encode(), *self.argv]
        environment = {**self.environment, "TERM": self.term}
        try:
            child = self._spawn(taking, stdin=theirs, stdout=theirs, stderr=theirs, environment=environment)
        except OSError:
            self._close_terminal()
            raise
        finally:
            os.close(theirs)
        # A terminal gets nothing at the end of the input: a user would type Ctrl-D.
        threading.Thread(target=self._feed, args=(os.dup(ours),), daemon=True).start()
        _drain(ours, self.channel.sendall, self._close_terminal)
        return self._end(child)

    def _spawn(
        self, argv: list[bytes], *, stdin: int, stdout: int, stderr: int, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            child = subprocess.Popen(
                argv,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                bufsize=0,
                cwd=self.directory,
                env=environment,
                start_new_session=True,
            )
            self.group = child.pid
        return child

    def _end(self, child: subprocess.Popen[bytes]) -> int:
        status = child.wait()
        with self._lock:
            self.group = 0
        return status

    def _close_terminal(self) -> None:
        with self._lock:
            os.close(self._terminal)
            self._terminal = -1

    def _feed(self, target: int, close: Callable[[], None] | None = None) -> None:
        """Write what the channel receives to a file descriptor, until either side has ended."""
        try:
            while data := self.channel.recv(CHUNK):
                while data:
                    data = data[os.write(target, data) :]
        except OSError:  # the command no longer reads, which sshd does not report to the client either
            pass
        finally:
            with contextlib.suppress(OSError):
                close() if close else os.close(target)

    def _tell(self, status: int) -> None:
        with contextlib.suppress(EOFError):  # the client is gone
            self._send_status(status)

    def _send_status(self, status: int) -> None:
        if status >= 0:
            self.channel.send_exit_status(status)
            return
        message = paramiko.Message()  # RFC 4254, section 6.10; paramiko has no method for it
        message.add_byte(cMSG_CHANNEL_REQUEST)
        message.add_int(self.channel.remote_chanid)
        message.add_string("exit-signal")
        message.add_boolean(False)
        message.add_string(Signals(-status).name.removeprefix("SIG"))
        message.add_boolean(False)  # no core dump
        message.add_string("")  # no error message
        message.add_string("")  # no language tag
        transport = self.channel.get_transport()
        transport._send_user_message(message)  # type: ignore[attr-defined]


def _drain(source: int, send: Callable[[bytes], object], close: Callable[[], None]) -> None:
    """Send what is read from a file descriptor until that or the channel ends. Closing it ends the writer."""
    try:
        while data := os.read(source, CHUNK):
            send(data)
    except OSError:  # on Linux, a terminal ends with EIO; paramiko's "Socket is closed" is an OSError, too
        pass
    finally:
        close()
