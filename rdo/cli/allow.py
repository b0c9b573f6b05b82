"""`rdoctl allow`: shows what a .rdo.conf asks for, and allows it; and lists what is allowed."""

from __future__ import annotations

import os
import time
from functools import partial

from rdo import project
from rdo.cli import known_words, table
from rdo.cli.declaration import Command, Option
from rdo.client import argv, tty
from rdo.client.argv import Options
from rdo.config import load as config
from rdo.config.load import Config
from rdo.drivers import registry
from rdo.errors import RdoError, one_line
from rdo.trust import prompt, store
from rdo.trust.prompt import Screen
from rdo.trust.question import question
from rdo.trust.request import TrustRequest
from rdo.trust.store import Record, TrustStatus


def run(profile: str | None, yes: bool, listing: bool) -> None:
    """Allow what the .rdo.conf here asks for.

    A .rdo.conf may come from somebody else. So you have to allow once where it sends your commands, as which user and
    with which of your variables and files, and again whenever that changes.
    """
    if listing:
        print("\n".join(lines(store.Store(os.environ).records()) or ["nothing is allowed yet"]))
        return
    request = trust_request(load(profile or ""))
    where = one_line(f"profile `{request.profile}` of `{request.config}`")
    if not request.all:
        print(f"{where} needs {TrustStatus.FREE.value}")
        return
    confirm(request, yes)
    store.Store(os.environ).add(request)
    print(f"allowed: {where}")


command = Command(
    "allow",
    run,
    (
        Option("profile", ("--profile", "-p"), "Allow this profile.", "NAME", known_words.profiles),
        Option("yes", ("--yes", "-y"), "Do not ask for confirmation."),
        Option("listing", ("--list", "-l"), "List everything that is allowed, in all directories."),
    ),
)


def confirm(request: TrustRequest, yes: bool) -> None:
    """Show the values; raises RdoError unless they are to be allowed."""
    if yes:
        head = one_line(f"`{request.config}`, profile `{request.profile}`, asks for:")
        print("\n".join([head, *(f"  {line}" for line in request.lines)]))
        return
    screen = Screen(*(tty.screen() or prompt.SMALL))
    text = question(request, os.environ, screen)
    allowed = prompt.is_allowed(partial(tty.ask, echo=True), text)
    if not allowed:
        why = "there is no terminal to ask on" if allowed is None else "the answer was not `yes`"
        raise RdoError("nothing was allowed", why, f"look at the file and type `{request.command} --yes`")


def load(profile: str) -> Config:
    """The config of the working directory, for the profile that a command here would have. Raises RdoError."""
    options = Options()
    options.profile = profile
    found = project.discover(os.environ)
    variable = "" if profile else argv.profile_variable(os.environ)
    return config.load(found.config, argv.profile(options, os.environ), project.user_file(os.environ), variable)


def trust_request(loaded: Config) -> TrustRequest:
    """What the config asks for in its current state. Raises RdoError."""
    return store.current_request(loaded, registry.programs(loaded, os.environ))


def lines(records: list[Record]) -> list[str]:
    """Lines that list the records, with their dates, and whether what they allow is still what the files ask for."""
    dates = [time.strftime("%Y-%m-%d", time.localtime(record.date)) for record in records]
    rows = [(date, _state(each), each.profile, each.config) for date, each in zip(dates, records, strict=True)]
    return table.render(rows) if rows else []


def _state(record: Record) -> str:
    try:
        request = trust_request(config.load(record.config, record.profile, project.user_file(os.environ)))
    except RdoError:
        return "gone" if not os.path.exists(record.config) else "in error"
    return "allowed" if request.digest == record.digest else "changed since"
