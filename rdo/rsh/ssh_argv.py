"""Parses the command line of ssh(1), as rsync, git and Ansible write it. Pure.

Options that only concern the connection are dropped, since rdo already holds one. Options that rdo cannot honour are
refused.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rdo.errors import UsageError
from rdo.util.lines import BLANKS, split_words

DROPPED = frozenset("1246AaCgKkMqXxYy")
"""Options without a value that have no effect here."""

DROPPED_WITH_VALUE = frozenset("BbcEeFIiJmPS")

REFUSED = {
    "D": "it forwards no ports",
    "f": "it does not run in the background",
    "L": "it forwards no ports",
    "N": "it only runs commands",
    "Q": "it only runs commands",
    "R": "it forwards no ports",
    "s": "it has no subsystems such as sftp",
    "W": "it forwards no ports",
    "w": "it creates no tunnels",
}

FORWARDS = "DLR"
"""Options that rdo has, too."""

TTY = {"no": -1, "auto": 0, "yes": 1, "force": 2}
"""Values of RequestTTY, as the number of `-t` options; -1 is `-T`."""


@dataclass
class SshCommand:
    """What the command line asks for. `words` go to the remote shell, joined by spaces."""

    host: str | None = None
    """None if the host was not given, as opposed to an empty word."""
    user: str = ""
    port: int | None = None
    hostname: str = ""
    """`-o HostName`: the real name of the host."""
    words: Sequence[str] = field(default_factory=list)
    tty: int = 0
    """-1: none; 0: only for a login shell; 1: if stdin is a terminal; 2: always."""
    stdin: bool = True
    verbose: bool = False
    version: bool = False
    help: bool = False
    query: bool = False
    """`-G`: print the configuration."""
    control: str = ""
    """`-O`: a command for a control master of ssh."""
    profile: str = ""
    project: str = ""
    send_env: list[str] = field(default_factory=list)
    """Patterns for variable names."""
    set_env: list[str] = field(default_factory=list)


def parse(words: Sequence[str]) -> SshCommand:
    """Parse `words`, the command line without the program's name. Raises UsageError."""
    command = SshCommand()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            if command.host is None and rest:
                _take_host(command, rest.pop(0))
            break
        if word.startswith("--"):
            _take_long(command, word, rest)
        elif word.startswith("-") and word != "-":
            _take_cluster(command, word[1:], rest)
        elif command.host is None:
            _take_host(command, word)  # as with ssh, options may follow
        else:
            rest.insert(0, word)
            break
    command.words = rest
    return command


def _take_long(command: SshCommand, word: str, rest: list[str]) -> None:
    """Parse a long option. ssh has none, so that rdo's cannot clash with them."""
    name, equals, value = word.partition("=")
    if word == "--help":
        command.help = True
        return
    if name not in ("--profile", "--project"):
        raise UsageError(f"unknown option `{word}`", "", "see `rdo-rsh --help`")
    setattr(command, name[2:], value if equals else _value(name, rest))


def _take_cluster(command: SshCommand, letters: str, rest: list[str]) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in REFUSED:
            hint = f"use `rdo -{letter}`" if letter in FORWARDS else "use `ssh`"
            raise UsageError(f"`-{letter}` is not supported by rdo-rsh", REFUSED[letter], hint)
        if letter in DROPPED_WITH_VALUE or letter in _VALUES:
            value = letters or _value(f"-{letter}", rest)
            if letter in _VALUES:
                _VALUES[letter](command, value)
            return
        if letter in _FLAGS:
            _FLAGS[letter](command)
        elif letter not in DROPPED:
            raise UsageError(f"unknown option `-{letter}`", "", "rdo-rsh accepts the options of `ssh`")


def _value(name: str, rest: list[str]) -> str:
    if not rest:
        raise UsageError(f"option `{name}` needs a value", "", "see `rdo-rsh --help`")
    return rest.pop(0)


def _take_host(command: SshCommand, word: str) -> None:
    """Parse `[USER@]HOST` or `ssh://[USER@]HOST[:PORT]`. Earlier `-l`, `-p` and `-o` take precedence, as with ssh."""
    is_address = word.startswith("ssh://")
    user, _, host = (word[6:].rstrip("/") if is_address else word).rpartition("@")
    if is_address and host.rpartition(":")[2].isdecimal():
        host, _, port = host.rpartition(":")
        _set_port(command, port)
    command.host = host
    _set_user(command, user)


def _set_user(command: SshCommand, user: str) -> None:
    command.user = command.user or user


def _set_port(command: SshCommand, port: str) -> None:
    if not port.isdecimal():
        raise UsageError(f"`{port}` is not a valid port", "", "use a number, as in `-p 22`")
    command.port = command.port or int(port)


def _set_control(command: SshCommand, order: str) -> None:
    if order not in ("check", "exit", "stop"):
        raise UsageError(f"`-O {order}` is not supported by rdo-rsh", "it forwards no ports", "use `ssh`")
    command.control = order


def _set_option(command: SshCommand, text: str) -> None:
    """Parse `-o NAME=VALUE` or `-o 'NAME VALUE'`. The first value of a name applies, as with ssh."""
    name, _, value = text.replace("=", " ", 1).strip(BLANKS).partition(" ")
    value = value.strip(BLANKS).strip('"')
    name = name.lower()
    try:
        if name in _OPTIONS:  # the others concern the connection, or are unknown to rdo
            _OPTIONS[name](command, value)
    except ValueError as error:
        raise UsageError(f"cannot parse `-o {text}`", str(error).lower(), "use `-o NAME=VALUE`") from None


def _set_hostname(command: SshCommand, name: str) -> None:
    command.hostname = command.hostname or name


def _set_tty(command: SshCommand, value: str) -> None:
    command.tty = command.tty or TTY.get(value.lower(), 0)


def _set_stdin(command: SshCommand, value: str) -> None:
    command.stdin = command.stdin and value.lower() != "yes"


def _add_t(command: SshCommand) -> None:
    command.tty = max(command.tty, 0) + 1


def _flag(name: str, value: object) -> Callable[[SshCommand], None]:
    return lambda command: setattr(command, name, value)


_FLAGS: Mapping[str, Callable[[SshCommand], None]] = {
    "G": _flag("query", True),
    "V": _flag("version", True),
    "n": _flag("stdin", False),
    "T": _flag("tty", -1),
    "t": _add_t,
    "v": _flag("verbose", True),
}

_VALUES: Mapping[str, Callable[[SshCommand, str], None]] = {
    "l": _set_user,
    "O": _set_control,
    "o": _set_option,
    "p": _set_port,
}

_OPTIONS: Mapping[str, Callable[[SshCommand, str], None]] = {
    "hostname": _set_hostname,
    "port": _set_port,
    "requesttty": _set_tty,
    "sendenv": lambda command, value: command.send_env.extend(split_words(value)),
    "setenv": lambda command, value: command.set_env.extend(shlex.split(value)),
    "stdinnull": _set_stdin,
    "user": _set_user,
}

TAKEN = frozenset({*_FLAGS, *_VALUES})
"""The letters of the options that have an effect here."""
