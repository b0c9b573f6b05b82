"""`rdoctl deny`: takes back what `rdoctl allow` allowed."""

from __future__ import annotations

import os

import click

from rdo import argv, control, discovery, trust
from rdo.argv import Options
from rdo.cli import masters
from rdo.errors import printable


@click.command("deny")
@click.option("--profile", "-p", metavar="NAME", default="", help="Deny this profile.")
def command(profile: str) -> None:
    """Take back what was allowed for the .rdo.conf here.

    Commands that run go on; the held connection ends with them.
    """
    options = Options()
    options.profile = profile
    name = argv.profile(options, os.environ)
    path = discovery.discover(os.environ).config
    forgotten = trust.Store(os.environ).forget(path, name)
    end_master(path, name)
    click.echo(printable(f"{'denied' if forgotten else 'was not allowed'}: profile `{name}` of `{path}`"))


def end_master(config: str, profile: str) -> None:
    """Have the control master end that was once told yes."""
    for master in masters.found(control.runtime_folder(os.environ)):
        if (master.report.get("config"), master.report.get("profile")) == (config, profile):
            masters.stop(master, now=False)
