"""Asks `ssh -G` what the user's ssh configuration says about a host, or another reader if there is no ssh program."""

from __future__ import annotations

import os
import pwd
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rdo.drivers.ssh.fields import DISPLAY_LIMIT, words
from rdo.drivers.ssh.query_request import SshQueryRequest, arguments, check_names
from rdo.errors import ConnectError
from rdo.fscodec import fsdecode, fsencode
from rdo.util.lines import split_lines

if TYPE_CHECKING:
    from rdo.drivers.ssh.options import SshOptions
    from rdo.util.own_program import Finish, Start

QUERY_TIMEOUT = 20.0
"""Seconds for `ssh -G`, which takes 5 ms unless a `Match exec` in the user's configuration is slow."""


COMPLAINT_LIMIT = 3
"""Lines of ssh's errors about a configuration that an error message includes."""


class Query:
    """A running `ssh -G`: started first, so that it works while the code for its answer is imported."""

    def __init__(self, request: SshQueryRequest, environment: Mapping[str, str], start: Start | None = None) -> None:
        """For a caller with this environment; `start` is own_program's if that is this process itself.

        Raises ConnectError for names that ssh could treat as an option.
        """
        check_names(request)
        self._request = request
        self._environment = environment
        try:
            self._finish: Finish | None = (start or _start_for_caller)(["ssh", *arguments(request)], environment)
        except (FileNotFoundError, PermissionError, NotADirectoryError):
            self._finish = None

    @property
    def is_program(self) -> bool:
        """Whether the program `ssh` answers, which nearly always exists."""
        return self._finish is not None

    def options(self) -> SshOptions:
        """The answer. Raises ConnectError with ssh's own message if the configuration is invalid."""
        from rdo.drivers.ssh.query_output import parse  # imported while ssh works

        request, finish = self._request, self._finish
        lines = _answer(request, finish) if finish else _lines_without_ssh(request, self._environment)
        try:
            return parse(request, lines, self._environment, pwd.getpwuid(os.getuid()))
        except ValueError as error:
            what = f"the ssh configuration of `{request.host}` is not usable"
            raise ConnectError(what, str(error), "correct it in ~/.ssh/config") from None


def _start_for_caller(command: Sequence[str], environment: Mapping[str, str]) -> Finish:
    from rdo.util.caller_program import begin_for_caller  # imports what a process that asks for itself does not need

    return begin_for_caller(command, environment)


def _answer(request: SshQueryRequest, finish: Finish) -> list[str]:
    try:
        done = finish(QUERY_TIMEOUT)
    except TimeoutError:
        why = f"waited {QUERY_TIMEOUT:.0f} s"
        raise ConnectError("`ssh -G` did not respond", why, "look for a slow `Match exec`") from None
    if done.returncode != 0:
        lines = [line.rstrip() for line in _lines(done.stderr) if not line.startswith("Pseudo-terminal")]
        why = "; ".join(words(fsencode(line), DISPLAY_LIMIT) for line in lines[:COMPLAINT_LIMIT])
        command = shlex.join(["ssh", *arguments(request)])
        raise ConnectError("the ssh configuration is not usable", why, f"try `{command}`")
    return _lines(done.stdout)


def _lines(data: bytes) -> list[str]:
    return split_lines(fsdecode(data))


def _lines_without_ssh(request: SshQueryRequest, environment: Mapping[str, str]) -> list[str]:
    """The same lines from paramiko's reader, which knows neither Include nor most of Match."""
    from rdo.drivers.ssh.config_file import lines  # imports paramiko, so only here

    return lines(request, environment)
