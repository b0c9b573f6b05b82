"""`rdoctl explain`: shows what a command would do, without connecting. Plans as the master does, and shows the plan.

No value from the environment is ever shown: each is replaced before anything is planned, so that none can slip through.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from rdo import project
from rdo.cli import table
from rdo.cli.declaration import Command, LeftToClick
from rdo.client import argv, request
from rdo.client.argv import Options
from rdo.config import load, worktree
from rdo.config.forwards import NO_FORWARDS
from rdo.config.load import Config
from rdo.config.merge import DEFAULT_ORIGIN
from rdo.config.schema import KEYS
from rdo.drivers import registry
from rdo.errors import one_line, printable
from rdo.fscodec import fsdecode
from rdo.trust import store

IN_LOGIN = re.compile(r"""(?<![^\s='":])/~(?=[\s'":/]|$)""")
"""LOGIN of explain_plan: it is shown without the slash."""


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
    """The title and lines of each part. Raises RdoError where the command would fail, after the parts before that."""
    if options.directory:
        project.change_directory(options.directory, os.environ)
    found = project.discover(os.environ, options.project)
    asked = request.build(options, found, os.environ)
    variable = "" if options.profile else argv.profile_variable(os.environ)
    loaded = load.load(found.config, fsdecode(asked.profile), project.user_file(os.environ), variable)
    yield "Config files, later ones win", list(map(one_line, loaded.files))
    yield "Profile", [_profile(loaded)]
    yield "Settings, and where they come from", _settings(loaded)
    if loaded.notes:
        yield "Notes", list(map(one_line, loaded.notes))
    trust_request = store.current_request(loaded, registry.programs(loaded, os.environ))
    status = store.status(trust_request, os.environ)
    yield "Trust", [status.value]
    loaded.check_sync_root(os.environ)
    driver = registry.create(loaded, os.environ)
    yield "Target", [f"{driver.target}, by driver {loaded.settings.driver}"]
    if not status.is_allowed:  # what follows queries ssh or the Docker engine
        raise store.refusal(trust_request, status)
    if not asked.remote_directory and (fault := worktree.fault(loaded)):
        raise fault
    reached = registry.ssh_query(driver, os.environ)
    from rdo.cli import explain_plan  # its modules are loaded while ssh answers

    yield from explain_plan.sections(loaded, driver, options, asked, found.pwd)
    options_of_ssh = reached.options() if reached is not None else None
    of_ssh = options_of_ssh.forwards if options_of_ssh is not None else NO_FORWARDS
    if asked.forwards or loaded.settings.forward or loaded.settings.auto_forward or of_ssh.forwards:
        from rdo.cli import explain_ports

        yield from explain_ports.sections(loaded, asked, driver.target, of_ssh)
    if loaded.settings.open_browser != "no":
        from rdo.cli import explain_browser

        yield from explain_browser.sections(loaded, asked)
    if options_of_ssh is not None:
        yield from explain_plan.ssh(options_of_ssh)


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
