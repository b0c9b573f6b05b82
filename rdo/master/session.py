"""Relays one command between its control connection and its channel, until both have ended.

The thread that serves the connection handles what the client sends. stdin_pump.py and output_pump.py relay data as it
arrives, and each starts a thread if the other side is slower than that.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from rdo.drivers.base import WindowSize
from rdo.errors import LinkLost
from rdo.ipc import protocol
from rdo.master.client_connection import ClientConnection
from rdo.master.command_groups import CommandGroups
from rdo.master.output_pump import OutputPump
from rdo.master.remarks import Remarks, SilenceReport
from rdo.master.session_state import TRANSITIONS, SessionEvent, SessionState
from rdo.master.signal_watch import END_OF_INPUT_KEY, SignalWatch
from rdo.master.stdin_pump import StdinPump
from rdo.pool.connections import ShellLease
from rdo.pool.shell import Shell
from rdo.pool.shell_pool import REFILL_DELAY
from rdo.remote_sh.script import Script
from rdo.util import log

if TYPE_CHECKING:
    from rdo.master.auto_forward import AutoForward
    from rdo.master.command_browser import CommandBrowser
    from rdo.master.command_terminal import CommandTerminal

PIPE_GRACE = 1.0
"""Seconds between PIPE and TERM for a command that continues to write although nobody reads."""


class Session:
    """A command on its channel. `target` is the name for error messages.

    `output_roots` maps directories of the target to local names, for output; it is empty if output is to pass
    unchanged. `finish` and `ports`: see OutputPump. `restore` is called if the shell finds that the files copied for
    the command are missing.
    """

    def __init__(
        self,
        client: ClientConnection,
        lease: ShellLease,
        target: str,
        output_roots: Mapping[str, str],
        finish: Callable[[int], int] | None = None,
        restore: Callable[[Shell], None] | None = None,
        ports: AutoForward | None = None,
    ) -> None:
        self._client = client
        self._connection = lease.connection
        self._shell = lease.shell
        self._channel = lease.shell.channel
        self._target = target
        self._groups = CommandGroups(lease.connection, lease.shell.group)
        self._keep, self._lost = False, ""
        self._has_input = True
        self._stdin = StdinPump(self._channel, self._send_credit, client.break_off, held=lease.shell.pty)
        self._within_line = False
        self._state = SessionState.PREPARED
        self._output = OutputPump(client, lease.shell, output_roots, self, finish, ports=ports)
        self._restore = restore
        self.remarks = Remarks(client, self._output.screen)
        self._watch = SignalWatch(self._channel, self._output, self._groups, pty=lease.shell.pty)
        self._terminal: CommandTerminal | None = None
        self._observing = contextlib.ExitStack()
        self._ports = ports
        if ports is not None:
            ports.report_to(self.remarks)
            self._observing.callback(ports.end)

    def report_silence(self) -> None:
        """Tell the client if the connection falls silent while the command runs."""
        report = SilenceReport(self.remarks, self._target)
        self._observing.enter_context(self._connection.keepalive.observed(report))

    def open_urls(self, browser: CommandBrowser) -> None:
        """Open on this machine the URLs that the command opens on the target."""
        self._terminal = browser.begin(self._output, partial(self._groups.signal, "WINCH"))
        self._stdin.divert = self._terminal.take_input
        self._observing.callback(browser.end)

    def start(self, script: Script, *, ptyless: bool = False) -> None:
        """Report the start to the client, and start the command. Raises LinkLost and ClientGone, in which case it was
        not started.

        `ptyless`: the command asked for a terminal, and the target has none.
        """
        self._keep, self._lost = script.keep, script.lost
        self._groups.guard(keep=script.keep)
        self._client.send(protocol.STARTED, protocol.PTYLESS if ptyless else b"")
        self._transition(SessionEvent.STARTED)
        try:
            self._shell.start(script)
        except LinkLost as error:
            raise self.explain(error) from None
        self._output.start()
        self._has_input = script.has_input

    def relay(self, prepare: Callable[[], None]) -> None:
        """Relay until the command ends, or end it if its client or its channel goes away.

        `prepare` is called if the command runs for a while, to prepare for the next one.
        """
        try:
            if self._shell.pty and not self._has_input:
                self._end_input()
            if self._runs_on():
                if self._ports is not None:
                    self._ports.begin()
                prepare()
            for kind, payload in self._client.frames():
                if kind == protocol.INPUT:
                    self._take_input(payload)
                else:
                    self._handle(kind, bytes(payload))
        except BaseException as error:
            self._client.fail(error)  # before the command is ended, after which its status means nothing
        finally:
            self._observing.close()
            self._transition(SessionEvent.OVER)
            self._clean_up()
            self._shell.close()
            self._output.wait()
            self._stdin.close()
            self._groups.release()

    def _runs_on(self) -> bool:
        """Wait a moment unless input arrives, and return whether the command is still running."""
        self._client.await_frame(REFILL_DELAY)
        return not self._output.ended.is_set()

    def _transition(self, event: SessionEvent) -> bool:
        """Go to the state that the event leads to, and return whether there is one."""
        state = TRANSITIONS[self._state].get(event)
        self._state = state or self._state
        return state is not None

    # From the client

    def _take_input(self, payload: bytes | memoryview) -> None:
        self._within_line = payload[-1] not in b"\r\n"
        if self._shell.pty:
            self._watch.expect_of_keys(bytes(payload))
        self._stdin.give(payload)

    def _handle(self, kind: bytes, payload: bytes) -> None:
        if kind == protocol.PROBE:
            return  # reading it was all that it is for
        if self._terminal is not None:
            self._terminal.notice(kind, payload)
        if kind == protocol.END:
            self._end_input()
        elif kind == protocol.SIGNAL:
            self._signal(payload.decode("ascii", "replace"))
        elif kind == protocol.WINDOW:
            self._channel.resize(WindowSize(*protocol.decode_window(payload)))
        else:
            raise protocol.ProtocolError("unexpected frame while a command is running", repr(kind))

    def _end_input(self) -> None:
        if self._shell.pty:
            self._stdin.give(END_OF_INPUT_KEY * (2 if self._within_line else 1))
        else:
            self._stdin.end()

    def _send_credit(self, size: int) -> None:
        self._client.send(protocol.CREDIT, protocol.encode_credit(size))

    def _signal(self, name: str) -> None:
        if not name.isalnum():
            raise protocol.ProtocolError("not a signal name", repr(name))
        if name == "PIPE":
            self._stop_output()
        elif name == "CONT" and self._transition(SessionEvent.CONTINUED):
            self._channel.write(self._shell.nonce.encode() + b"\n")
        elif name == "TSTP" and not self._shell.pty:
            # The group is orphaned in the sense of POSIX (its parent is in another session), so it ignores SIGTSTP.
            self._groups.signal("STOP")
        else:
            self._watch.expect(name)
            self._groups.pass_on(name)
            # the caller's terminal is gone, but the connection is not
            if name == "HUP" and self._keep and self._shell.pty:
                self._groups.signal("TERM")

    def _stop_output(self) -> None:
        """Let the command get SIGPIPE, since nobody reads stdout any more.

        If its stdout cannot be closed, a command that ignores the signal would write for ever.
        """
        closed = self._channel.stop_reading()
        self._output.drop(math.inf if closed else PIPE_GRACE)
        if not closed:
            self._groups.signal("PIPE")

    # For the output

    def handle_mark(self, mark: str) -> None:
        """Act on a mark. Raises ClientGone, and what `restore` raises."""
        if mark == "ready":
            self._stdin.resume()
        elif mark == "stopped":
            self._stdin.hold()
            self._transition(SessionEvent.STOPPED)
            self._client.send(protocol.STOPPED)
        elif mark == "lost" and self._restore:
            self._restore(self._shell)
        elif mark == "astray":
            self._output.say(self._lost)
        elif mark.startswith("group;"):
            self._groups.join(mark[6:])

    def end_writer(self) -> None:
        """End a command that continues after SIGPIPE."""
        self._groups.signal("TERM")

    def explain(self, error: LinkLost) -> LinkLost:
        """The error for the client."""
        why = error.why or error.what
        log.event(f"the connection to `{self._target}` was lost while a command was running: {why}")
        hint = "the command continues there, if it can" if self._keep else "the command is not run again"
        return LinkLost(f"the connection to `{self._target}` was lost", why, hint)

    # The end

    def _clean_up(self) -> None:
        """Clean up after the command, its client or its channel has ended."""
        if self._output.ended.is_set():
            if self._watch.ended_by_signal(self._output.status):
                self._groups.hang_up()
        elif not self._is_kept():
            self._groups.terminate(self._output.ended, lambda: self._output.cut)

    def _is_kept(self) -> bool:
        """Let a command continue that is to outlive its client and its channel, and return whether that is so."""
        if not self._keep:
            return False
        if not (self._output.cut or self._client.ended_here.is_set()):
            self._end_input()
            self._client.ended_here.wait()
        return self._output.ended.is_set() or self._output.cut
