"""The part of `rdoctl explain` about a command that is allowed: planned by the same code as in the master."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from rdo import plan
from rdo.cli import table
from rdo.client.argv import Options
from rdo.config.load import Config
from rdo.drivers.root import Root
from rdo.errors import printable
from rdo.fscodec import fsdecode, fsencode
from rdo.ipc.request import Request
from rdo.paths.mapping import MappedArgument
from rdo.plan import Plan

if TYPE_CHECKING:
    from rdo.drivers.base import Driver
    from rdo.drivers.ssh.options import SshOptions

Section = tuple[str, list[str]]
"""A title, and the lines below it."""

FROM_ENVIRONMENT = "(from your environment)"
FROM_OPTION = "(from -e)"
FROM_DRIVER = "(from the ssh configuration)"
HIDDEN = (FROM_ENVIRONMENT, FROM_OPTION)

LOGIN = "/~"
"""Stands for the login directory, which only the target knows."""

NONCE = "NONCE"
"""Stands for a session's random digits."""


def sections(loaded: Config, driver: Driver, options: Options, asked: Request, pwd: str) -> Iterator[Section]:
    """Directories, files, command and variables. Raises RdoError where the command would fail."""
    roots = driver.roots()
    if not roots and not asked.remote_directory:
        if words := driver.unmapped_error(pwd):
            raise words
        loaded.require_directory()
    roots = [root.below(LOGIN) for root in roots]
    yield "Directories on both sides", table.render([(r.local, "->", r.remote, r.note) for r in roots]) or ["none"]
    user = plan.user(asked, loaded.settings)
    sudo = "" if driver.switches_user else user
    planned = plan.make(hidden(asked, options), loaded.settings, roots, driver.target, driver.unmapped_error, sudo)
    yield from () if options.no_sync else _files(loaded, planned)
    if user and not sudo:
        yield "User", [f"{user}, by the Docker engine"]
    yield from _plan(planned, asked, pwd)


def _plan(planned: Plan, asked: Request, pwd: str) -> Iterator[Section]:
    directory = planned.script.directory or "the login directory"
    yield "Working directory", table.render([("here", pwd), ("there", directory)])
    yield "Command", _command(planned, asked)
    yield "Paths in output", _output(planned)
    if planned.script.environment or planned.script.path:
        yield "Variables", _variables(planned)
    if not asked.verbose:
        return
    from rdo.remote_sh.render import render  # nothing else uses the shell text

    text = render(planned.script, nonce=NONCE, pty=asked.pty)
    yield "Script for the target's /bin/sh", [fsdecode(text.rstrip(b"\n"))]


def _files(loaded: Config, planned: Plan) -> Iterator[Section]:
    """What is copied before the command, and after it."""
    settings = loaded.settings
    directory = planned.mapping.to_remote(loaded.root) or settings.directory or "?"
    if settings.sync == "unison":
        yield "Files", [f"{loaded.root} and {directory} are made the same by unison before the command"]
    if settings.sync != "push":
        return
    what = "with .git" if settings.sync_git else "without .git"
    rows = [("before", f"{loaded.root} -> {directory}, all that git would track, {what}")]
    rows += [("and", ", ".join(settings.include))] if settings.include else []
    rows += [("but not", ", ".join(settings.exclude))] if settings.exclude else []
    rows += [("after", f"{directory} -> {loaded.root}, {', '.join(settings.pull)}")] if settings.pull else []
    yield "Files", table.render(rows)


def hidden(asked: Request, options: Options) -> Request:
    """The request, with a note in place of every value from the environment or the command line."""
    asked.environ = [fsencode(f"{name}={FROM_ENVIRONMENT}") for name, _ in plan.pairs(asked.environ)]
    given = {item.partition("=")[0] for item in options.env if "=" in item}
    asked.variables = [
        fsencode(f"{name}={FROM_OPTION if name in given else FROM_ENVIRONMENT}")
        for name, _ in plan.pairs(asked.variables)
    ]
    asked.term = asked.term and FROM_ENVIRONMENT.encode()
    return asked


def ssh(options: SshOptions) -> Iterator[Section]:
    """What the user's ssh configuration adds."""
    from rdo.drivers.ssh.options import variables

    sent = variables(options, LocalCaller())
    if sent:
        names = [(name, FROM_DRIVER if name in options.set_env else FROM_ENVIRONMENT) for name in sorted(sent)]
        yield "Variables sent to the SSH server, which may refuse them (AcceptEnv)", table.render(names)
    if options.ignored:
        yield "Options of the ssh configuration without effect", list(options.ignored)
    if options.refused:
        yield "Options of the ssh configuration that forbid a connection", list(options.refused)


class LocalCaller:
    """This process as the caller of a driver that must not connect, and so need not ask anything. See drivers.base."""

    process = 0
    user = ""

    @property
    def environment(self) -> Mapping[str, str]:
        return os.environ

    def ask(self, question: str, *, echo: bool) -> str | None:
        return None

    def screen(self) -> tuple[int, int] | None:
        return None

    def report(self, line: str) -> None:
        print(printable(line), file=sys.stderr)

    def progress(self, step: str) -> bool:
        return False

    def trace(self, line: str) -> None:
        pass


def _command(planned: Plan, asked: Request) -> list[str]:
    if not planned.script.command:
        return ["none: a login shell"]
    lines = [_argument(argument, planned.mapping.roots) for argument in planned.arguments]
    if asked.is_shell_string:
        lines[0] = f"/bin/sh -c {lines[0]}"
    how = [("with sudo", planned.script.sudo), ("on a terminal of its own", asked.pty)]
    return [*lines, *(f"({text})" for text, applies in how if applies)]


def _argument(argument: MappedArgument, roots: Iterable[Root]) -> str:
    if argument.typed == argument.arrives:
        return shlex.quote(argument.typed) if "\n" not in argument.typed else repr(argument.typed)
    used = [f"{root.local} is {root.remote} there" for root in roots if root.local in argument.typed]
    return f"{argument.typed}  ->  {argument.arrives}  ({used[0] if used else 'mapped'})"


def _output(planned: Plan) -> list[str]:
    rows = [(remote, "->", local) for remote, local in sorted(planned.output_roots.items())]
    return table.render(rows) or ["left as they are"]


def _variables(planned: Plan) -> list[str]:
    pairs = sorted(planned.script.environment.items())
    lines = [f"{name} {value}" if value in HIDDEN else f"{name}={value}" for name, value in pairs]
    return [*lines, *(f"PATH begins with {directory}" for directory in planned.script.path)]
