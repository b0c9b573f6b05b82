"""The ssh configuration as read by paramiko, for machines without an ssh program, in the format of `ssh -G`.

Only a fallback. Nothing else belongs here.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from paramiko import config
from paramiko.config import SSHConfig
from paramiko.ssh_exception import ConfigParseError, CouldNotCanonicalize

from rdo.drivers.ssh.config_lines import EVERYWHERE, OPTION, expanded, files
from rdo.drivers.ssh.query_request import SshQueryRequest
from rdo.errors import ConnectError, reason
from rdo.util.caller_program import run_for_caller

CALLER = threading.local()
"""The environment of the caller for whom a thread reads, since what runs commands for paramiko is global."""

DEFAULT_KEYS = ("id_rsa", "id_ecdsa", "id_ed25519")


LINES = ("host", "match", "include", "proxycommand", "localcommand", "knownhostscommand", "remotecommand")
"""Options whose value is the rest of the line, including quotes and `#`."""

ALIASES = {
    "pubkeyacceptedkeytypes": "pubkeyacceptedalgorithms",
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "dsaauthentication": "pubkeyauthentication",
}
"""Former names of options."""

GATHERED = ("sendenv", "certificatefile", "dynamicforward")
"""Options of which every line counts. paramiko keeps only the first, except for IdentityFile, so they are stored under
that."""

TIMES = ("connecttimeout", "serveraliveinterval")
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

BETWEEN = "\x1f"
"""Separates words, and follows the name of an option that is stored under another one."""

QUOTED = re.compile(r"""(["'])((?:\\.|(?!\1)[^\\])*)\1""")
WORD = re.compile(rf"""(?:{QUOTED.pattern}|\\.|[^\s"'\\])+""")
ESCAPED = re.compile(r"""\\(["'\\ ])""")

EXEC_TIMEOUT = 20.0
"""Seconds for a command of `Match exec`. One that takes longer does not match."""


class ExecResult(NamedTuple):
    """The result of a command, with the attribute that paramiko reads."""

    ok: bool


class MatchExec:
    """Runs the commands of `Match exec`, in place of a package that paramiko may have been installed without."""

    @staticmethod
    def run(command: str, **_: object) -> ExecResult:
        """Run the command by the user's shell, as ssh(1) does."""
        environment: Mapping[str, str] = CALLER.environment
        shell = environment.get("SHELL") or "/bin/sh"
        try:
            quiet = subprocess.DEVNULL
            done = run_for_caller([shell, "-c", command], environment, EXEC_TIMEOUT, stdout=quiet, stderr=quiet)
        except (OSError, ValueError):
            return ExecResult(False)
        return ExecResult(done.returncode == 0)


setattr(config, "invoke", MatchExec)  # noqa: B010  (the stubs do not have it)


def lines(request: SshQueryRequest, environment: Mapping[str, str]) -> list[str]:
    """The options for a host, as lines of `key value`. Raises ConnectError if the file cannot be used."""
    CALLER.environment = environment
    return _lines(request)


def _lines(request: SshQueryRequest) -> list[str]:
    text: list[str] = []
    places = files(request.ssh_config)
    for path, base in places:
        try:
            text += [EVERYWHERE, *(piece for line in expanded(path, base) for piece in _plain(line))]
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not request.ssh_config:
                continue
            why = reason(error)
            raise ConnectError(f"the ssh configuration `{path}` is not usable", why) from error
    try:
        found: dict[str, str | list[str]] = dict(SSHConfig.from_text("\n".join(text)).lookup(request.host))
    # paramiko's own errors, and whatever happens in code that supports only half of the format
    except Exception as error:
        why = str(error) if isinstance(error, ConfigParseError | CouldNotCanonicalize) else "paramiko cannot read it"
        what = f"the ssh configuration `{places[0][0]}` is not usable"
        raise ConnectError(what, why, "install an OpenSSH client, which explains the problem") from error
    given = {"user": request.user, "port": request.port, "proxyjump": request.jump}
    usual = _defaults()
    if all(BETWEEN in name for name in found.get("identityfile", ())):
        found["identityfile"] = [*found.get("identityfile", ()), *usual["identityfile"]]
    chosen = {**usual, **found, **{key: str(value) for key, value in given.items() if value}}
    return [line for key, values in chosen.items() for line in _each(key, values)]


def _defaults() -> dict[str, str | list[str]]:
    return {
        "identityfile": [f"~/.ssh/{name}" for name in DEFAULT_KEYS],
        "userknownhostsfile": "~/.ssh/known_hosts ~/.ssh/known_hosts2",
        "globalknownhostsfile": "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2",
    }


def _each(key: str, values: str | list[str] | None) -> Iterator[str]:
    """The lines of an option, each with its name."""
    for value in values if isinstance(values, list) else (values or "none").split(BETWEEN):
        carried, mark, rest = value.partition(BETWEEN)
        yield f"{carried} {rest}" if mark else f"{key} {value}"


def _plain(line: str) -> Iterator[str]:
    """The line in a form that paramiko understands: one word or text without quotes, in lower case where ssh prints it
    so."""
    option = OPTION.fullmatch(line)
    key = ALIASES.get(option[1].lower(), option[1].lower()) if option else ""
    if option is None or key in LINES:
        yield line
        return
    words = _words(option[2])
    if key in GATHERED:
        pieces = words if key == "sendenv" else [" ".join(words)]
        yield from (f"IdentityFile {key}{BETWEEN}{piece}" for piece in pieces)
    elif key == "setenv":
        yield f"{key} {BETWEEN.join(words)}"
    else:
        yield f"{key} {_value(key, ' '.join(words))}"


def _words(text: str) -> list[str]:
    """The words of a value without their quotes, up to a comment."""
    found = []
    for match in WORD.finditer(text):
        if match[0].startswith("#"):
            break
        found.append(ESCAPED.sub(r"\1", QUOTED.sub(r"\2", match[0])))
    return found


def _value(key: str, text: str) -> str:
    """The value as ssh prints it."""
    if key in TIMES and re.fullmatch(r"(\d+[smhdw]?)+", text.lower()):
        return str(sum(int(size) * SECONDS[unit] for size, unit in re.findall(r"(\d+)([smhdw]?)", text.lower())))
    return text.lower() if text.lower() in ("yes", "no", "true", "false", "ask", "off", "accept-new", "none") else text
