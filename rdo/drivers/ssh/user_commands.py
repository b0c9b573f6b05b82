"""Programs that the user's ssh configuration runs here: ProxyCommand, KnownHostsCommand, LocalCommand."""

from __future__ import annotations

import base64
import contextlib
import os
import shlex
import signal
import socket
import subprocess
from collections.abc import Mapping
from typing import IO

from rdo.drivers.caller import Caller
from rdo.drivers.ssh.fields import DISPLAY_LIMIT, words
from rdo.drivers.ssh.known_hosts import HostKey, HostKeyEntry, parse
from rdo.drivers.ssh.options import SshOptions
from rdo.errors import ConnectError, printable, reason
from rdo.fscodec import fsdecode, fsencode
from rdo.util.caller_program import run_for_caller, start_for_caller
from rdo.util.lines import split_lines, strip_blanks

PROXY_EXIT_TIMEOUT = 2.0
"""Seconds for a ProxyCommand to exit by itself once its streams are closed and it was sent the signal."""
PROXY_STATUS_TIMEOUT = 0.5
"""Seconds for one that has closed its streams to exit, after which its status can be reported."""
STDERR_TAIL_LIMIT = 2048
"""Bytes of a failed ProxyCommand's stderr to examine."""

KNOWN_HOSTS_TIMEOUT = 60.0
"""Seconds for the KnownHostsCommand, which may ask a server on the network."""

KNOWN_HOSTS_NAME = "KnownHostsCommand"
"""Used in place of a file name."""

LOCAL_COMMAND_TIMEOUT = 60.0
"""Seconds for the LocalCommand to exit: the command that was typed waits for it, as with ssh(1)."""

OUTPUT_LIMIT = 64 * 1024
"""Bytes of its output to show."""


class ProxyCommand:
    """A program of the user's ssh configuration whose standard streams lead to the server.

    It gets one end of a socket pair: paramiko's own class polls pipes, at a tenth of the speed.
    """

    def __init__(self, command: str, environment: Mapping[str, str]) -> None:
        """Raises ConnectError if the user's shell cannot be started."""
        import tempfile  # slow to load, and most hosts have no such command

        self.socket, theirs = socket.socketpair()
        self._command = command
        self._complaint: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the program
        try:
            self._process = start_for_caller(
                [environment.get("SHELL") or "/bin/sh", "-c", f"exec {command}"],
                environment,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._complaint.fileno(),
                # so that Ctrl-C on the terminal does not reach it, and its children can be ended with it
                new_session=True,
            )
        except OSError as error:
            self.socket.close()
            self._complaint.close()
            hint = "check that SHELL names a shell"
            raise ConnectError(f"cannot start the ProxyCommand `{command}`", reason(error), hint) from error
        finally:
            theirs.close()

    def received_socket(self, timeout: float) -> socket.socket:
        """The connected socket that it hands over (ProxyUseFdpass). Raises ConnectError."""
        self.socket.settimeout(timeout)
        try:
            _, handed, _, _ = socket.recv_fds(self.socket, 1, 1)
        except OSError:
            handed = []
        if not handed:
            self._wait(PROXY_EXIT_TIMEOUT)
            what = "the ProxyCommand passed no connection (ProxyUseFdpass)"
            raise ConnectError(what, self.failure(), "try it yourself, or leave out ProxyUseFdpass")
        received = socket.socket(fileno=handed[0])
        with contextlib.suppress(OSError):  # it may be another socket than TCP
            received.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received.settimeout(timeout)
        return received

    def failure(self) -> str:
        """Its last error message, and its status if it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(PROXY_STATUS_TIMEOUT)
        status = self._process.returncode
        self._complaint.seek(max(0, os.fstat(self._complaint.fileno()).st_size - STDERR_TAIL_LIMIT))
        lines = self._complaint.read().decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()][-1:]
        ended = [] if status is None else [_ended(status)]
        parts = [f"ProxyCommand `{words(fsencode(self._command), DISPLAY_LIMIT)}`", *ended]
        return ", ".join([*parts, *(words(line.encode(), DISPLAY_LIMIT) for line in said)])

    def close(self) -> None:
        """End it and all its children, and reap it."""
        self.socket.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
            if self._wait(PROXY_EXIT_TIMEOUT):
                break
        self._complaint.close()

    def _wait(self, seconds: float) -> bool:
        """Wait, and return whether it ended in that time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            return True
        return False


def known_hosts_entries(
    options: SshOptions, environment: Mapping[str, str], invocation: str, name: str, key: HostKey | None
) -> list[HostKeyEntry]:
    """The output of KnownHostsCommand; empty if there is none. `invocation` is the value of `%I`.

    If the program fails, rdo does not connect, as with ssh, since its output might have revoked the key. Raises
    ConnectError.
    """
    if not options.known_hosts_command:
        return []
    command = _known_hosts_argv(options, invocation, name, key)
    try:
        done = run_for_caller(command, environment, KNOWN_HOSTS_TIMEOUT)
    except OSError as error:
        raise _known_hosts_failed(command[0], reason(error)) from error
    if done.returncode != 0:
        said = words(strip_blanks(done.stderr.decode(errors="replace")).rpartition("\n")[2].encode(), DISPLAY_LIMIT)
        raise _known_hosts_failed(command[0], _ended(done.returncode) + (f", {said}" if said else ""))
    return parse(KNOWN_HOSTS_NAME, fsdecode(done.stdout))


def _known_hosts_argv(options: SshOptions, invocation: str, name: str, key: HostKey | None) -> list[str]:
    try:
        program = shlex.split(options.known_hosts_command)
    except ValueError as error:
        raise _known_hosts_failed(options.known_hosts_command, str(error)) from None
    if not program or not program[0].startswith("/"):
        raise _known_hosts_failed(options.known_hosts_command, "it is not an absolute path")
    more = {
        "H": name,
        "I": invocation,
        "t": key.kind if key else "NONE",
        "f": key.fingerprint_by(options.fingerprint_hash) if key else "NONE",
        "K": base64.b64encode(key.blob).decode() if key else "NONE",
    }
    try:
        return [program[0], *(options.tokens.expand_all(word, more) for word in program[1:])]
    except ValueError as error:
        raise _known_hosts_failed(program[0], str(error)) from None


def _known_hosts_failed(command: str, why: str) -> ConnectError:
    shown = words(fsencode(command), DISPLAY_LIMIT)
    return ConnectError(
        f"the KnownHostsCommand `{shown}` failed", why, "try it yourself, or remove it from ~/.ssh/config"
    )


def run_local_command(options: SshOptions, caller: Caller) -> None:
    """Run the LocalCommand, if there is one, by the caller's shell, and show its output.

    Its result does not matter, as with ssh(1).
    """
    if not options.local_command:
        return
    shell = caller.environment.get("SHELL") or "/bin/sh"
    try:
        command = [shell, "-c", options.local_command]
        done = run_for_caller(command, caller.environment, LOCAL_COMMAND_TIMEOUT, stderr=subprocess.STDOUT)
    except (OSError, ValueError) as error:
        caller.report(f"rdo: the LocalCommand of the ssh configuration failed: {reason(error)}")
        return
    for line in split_lines(done.stdout[:OUTPUT_LIMIT].decode(errors="replace")):
        caller.report(printable(line.rstrip("\r")))


def _ended(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"
