"""KnownHostsCommand: a program of the user's ssh configuration that prints lines of a known_hosts file for one host."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping

from rdo.drivers.ssh.fields import DISPLAY_LIMIT, words
from rdo.drivers.ssh.known_hosts import HostKey, HostKeyEntry, parse
from rdo.drivers.ssh.options import SshOptions
from rdo.errors import ConnectError, reason
from rdo.fscodec import fsdecode, fsencode
from rdo.util.caller_program import run_for_caller
from rdo.util.lines import strip_blanks

COMMAND_TIMEOUT = 60.0
"""Seconds for the program, which may ask a server on the network."""

NAME = "KnownHostsCommand"
"""In the place of a file's name."""


def entries(
    options: SshOptions, environment: Mapping[str, str], invocation: str, name: str, key: HostKey | None
) -> list[HostKeyEntry]:
    """What it prints; nothing where there is none. `invocation` is what `%I` stands for. Raises ConnectError.

    A program that fails forbids the connection, as with ssh: what it would have said may revoke the key.
    """
    if not options.known_hosts_command:
        return []
    command = _command(options, invocation, name, key)
    try:
        done = run_for_caller(command, environment, COMMAND_TIMEOUT)
    except OSError as error:
        raise _failed(command[0], reason(error)) from error
    if done.returncode != 0:
        said = words(strip_blanks(done.stderr.decode(errors="replace")).rpartition("\n")[2].encode(), DISPLAY_LIMIT)
        ended = f"signal {-done.returncode}" if done.returncode < 0 else f"status {done.returncode}"
        raise _failed(command[0], ended + (f", {said}" if said else ""))
    return parse(NAME, fsdecode(done.stdout))


def _command(options: SshOptions, invocation: str, name: str, key: HostKey | None) -> list[str]:
    try:
        program = shlex.split(options.known_hosts_command)
    except ValueError as error:
        raise _failed(options.known_hosts_command, str(error)) from None
    if not program or not program[0].startswith("/"):
        raise _failed(options.known_hosts_command, "it is not an absolute path")
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
        raise _failed(program[0], str(error)) from None


def _failed(command: str, why: str) -> ConnectError:
    shown = words(fsencode(command), DISPLAY_LIMIT)
    return ConnectError(
        f"the KnownHostsCommand `{shown}` failed", why, "try it yourself, or remove it from ~/.ssh/config"
    )
