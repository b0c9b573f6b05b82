"""`rdoctl deny`: revokes what `rdoctl allow` allowed."""

from __future__ import annotations

import contextlib
import os

import click

from rdo import project
from rdo.cli import allow, masters
from rdo.client import argv
from rdo.client.argv import Options
from rdo.errors import RdoError, one_line
from rdo.ipc import address
from rdo.trust import store as trust
from rdo.trust.store import Record


@click.command("deny")
@click.option("--profile", "-p", metavar="NAME", default="", help="Deny this profile.")
def command(profile: str) -> None:
    """Revoke what was allowed for the .rdo.conf here.

    Running commands continue; the connection is closed when they have ended.
    """
    options = Options()
    options.profile = profile
    name = argv.profile(options, os.environ)
    path = project.discover(os.environ).config
    store = trust.Store(os.environ)
    denied = digests(store, path, name)
    forgotten = [each.profile for each in store.records() if is_meant(each, path, name, denied)]
    for each in forgotten:
        store.forget(path, each)
    end_masters(path)
    for each in forgotten or [name]:
        click.echo(one_line(f"{'denied' if forgotten else 'was not allowed'}: profile `{each}` of `{path}`"))


def digests(store: trust.Store, config: str, profile: str) -> set[str]:
    """What was allowed for the profile, and what it would have now: another profile's record would allow that too."""
    record = store.find(config, profile)
    found = {record.digest} if record else set()
    with contextlib.suppress(RdoError):  # a file that is in error has nothing that is allowed
        found.add(allow.trust_request(allow.load(profile)).digest)
    return found


def is_meant(record: Record, config: str, profile: str, denied: set[str]) -> bool:
    """Whether the record allows the profile."""
    return record.config == config and (record.profile == profile or record.digest in denied)


def end_masters(config: str) -> None:
    """End the control masters that were allowed to connect, whatever profile was asked for."""
    for master in masters.found(address.runtime_directory(os.environ)):
        if master.report.get("config") == config:
            masters.stop(master, now=False)
