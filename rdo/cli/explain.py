"""`rdoctl explain`: shows what a command would do, without connecting. Plans as the master does, and shows the plan.

No value from the environment is ever shown: each is replaced before anything is planned, so that none can slip through.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from rdo import plan, project
from rdo.cli import table
from rdo.cli.declaration import Command, LeftToClick
from rdo.client import argv, request
from rdo.client.argv import Options
from rdo.config import load, worktree
from rdo.config.load import Config
from rdo.config.merge import DEFAULT_ORIGIN
from rdo.config.schema import KEYS
from rdo.drivers import registry
from rdo.drivers.root import Root
from rdo.errors import one_line, printable
from rdo.fscodec import fsdecode, fsencode
from rdo.ipc.request import Request
from rdo.paths.mapping import MappedArgument
from rdo.plan import Plan
from rdo.trust import store

if TYPE_CHECKING:
    from rdo.drivers.ssh.options import SshOptions

FROM_ENVIRONMENT = "(from your environment)"
FROM_OPTION = "(from -e)"
FROM_DRIVER = "(from the ssh configuration)"
HIDDEN = (FROM_ENVIRONMENT, FROM_OPTION)

LOGIN = "/~"
"""In place of the login directory, which only the target knows. It is shown without the slash."""

IN_LOGIN = re.compile(r"""(?<![^\s='":])/~(?=[\s'":/]|$)""")

NONCE = "NONCE"
"""In place of the random digits that a session has."""


def run(words: tuple[str, ...]) -> None:
    """Show what a command would do, without connecting.

    It takes the same command line as `rdo`: rdoctl explain -p docker -e CI=1 make test. With -v it also shows the
    shell script that would run on the target.
    """
    options = argv.parse(list(words))
    if options.help:
        raise LeftToClick
    for title, lines in sections(options):
        print("\n".join([title, *(f"  {IN_LOGIN.sub('~', printable(line))}" for line in lines)]))


command = Command("explain", run, rest="words", metavar="[OPTION]... [COMMAND [ARGUMENT]...]")


def sections(options: Options) -> Iterator[tuple[str, list[str]]]:
    """Title and lines of each part. Raises RdoError where the command would fail, after the parts before that."""
    if options.directory:
        project.change_directory(options.directory, os.environ)
    found = project.discover(os.environ, options.project)
    asked = request.build(options, found, os.environ)
    loaded = load.load(found.config, fsdecode(asked.profile), project.user_file(os.environ))
    yield "Config files, later ones win", list(map(one_line, loaded.files))
    yield "Profile", [_profile(loaded)]
    yield "Settings, and where they come from", _settings(loaded)
    if loaded.notes:
        yield "Notes", list(map(one_line, loaded.notes))
    trust_request = store.current_request(loaded, registry.programs(loaded, os.environ))
    status = store.status(trust_request, os.environ)
    yield "Trust", [status.value]
    driver = registry.create(loaded, os.environ)
    yield "Target", [f"{driver.target}, by driver {loaded.settings.driver}"]
    if not status.is_allowed:  # what follows asks ssh, or the Docker engine
        raise store.refusal(trust_request, status)
    if not asked.remote_directory and (fault := worktree.fault(loaded)):
        raise fault
    roots = driver.roots()
    if not roots and not asked.remote_directory:
        if words := driver.unmapped_error(found.pwd):
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
    yield from _plan(planned, asked, found.pwd)
    yield from _ssh(registry.ssh_options(driver, os.environ))


def _plan(planned: Plan, asked: Request, pwd: str) -> Iterator[tuple[str, list[str]]]:
    directory = planned.script.directory or "the login directory"
    yield "Working directory", table.render([("here", pwd), ("there", directory)])
    yield "Command", _command(planned, asked)
    yield "Paths in output", _output(planned)
    if planned.script.environment or planned.script.path:
        yield "Variables", _variables(planned)
    if not asked.verbose:
        return
    from rdo.remote_sh.render import render  # nothing else has use for the shell text

    text = render(planned.script, nonce=NONCE, pty=asked.pty)
    yield "Script for the target's /bin/sh", [fsdecode(text.rstrip(b"\n"))]


def _files(loaded: Config, planned: Plan) -> Iterator[tuple[str, list[str]]]:
    """What is copied before the command and after it."""
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
    rows += [("after", f"{', '.join(settings.pull)} comes back")] if settings.pull else []
    yield "Files", table.render(rows)


def _profile(loaded: Config) -> str:
    others = [name for name in loaded.profiles if name != loaded.profile]
    return loaded.profile + (f" (others: {', '.join(others)})" if others else "")


def _settings(loaded: Config) -> list[str]:
    rows = []
    for key, origin in loaded.origins.items():
        name, _, variable = key.partition(".")
        value = getattr(loaded.settings, name)
        if origin == DEFAULT_ORIGIN or (isinstance(value, Mapping) and not variable):
            continue
        text = one_line(shown(value[variable] if variable else value))
        rows.append((key, "=", text, one_line(str(origin))))
    order = list(KEYS)
    return table.render(sorted(rows, key=lambda row: (order.index(row[0].partition(".")[0]), row[0])))


def shown(value: object) -> str:
    """A setting's value as TOML would have it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(shown, value))}]"
    return f"{value:g}" if isinstance(value, float) else f'"{value}"' if isinstance(value, str) else str(value)


def hidden(asked: Request, options: Options) -> Request:
    """The request with a note in place of every value that comes from the environment or the command line."""
    asked.environ = [fsencode(f"{name}={FROM_ENVIRONMENT}") for name, _ in plan.pairs(asked.environ)]
    given = {item.partition("=")[0] for item in options.env if "=" in item}
    asked.variables = [
        fsencode(f"{name}={FROM_OPTION if name in given else FROM_ENVIRONMENT}")
        for name, _ in plan.pairs(asked.variables)
    ]
    asked.term = asked.term and FROM_ENVIRONMENT.encode()
    return asked


def _ssh(options: SshOptions | None) -> Iterator[tuple[str, list[str]]]:
    """What the user's ssh configuration adds."""
    if options is None:
        return
    from rdo.drivers.ssh.options import variables

    sent = variables(options, LocalCaller())
    if sent:
        names = [(name, FROM_DRIVER if name in options.set_env else FROM_ENVIRONMENT) for name in sorted(sent)]
        yield "Variables that the SSH server is asked for, and may refuse (AcceptEnv)", table.render(names)
    if options.ignored:
        yield "Options of the ssh configuration without effect", list(options.ignored)
    if options.refused:
        yield "Options of the ssh configuration that forbid a connection", list(options.refused)


class LocalCaller:
    """This process as the caller of a driver that must not connect, and so has nothing to ask. See drivers.base."""

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
    return [*lines, *(text for text, applies in how if applies)]


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
