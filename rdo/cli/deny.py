"""`rdoctl deny`: revokes what `rdoctl allow` allowed."""

from __future__ import annotations

import contextlib
import os

import click

from rdo import project
from rdo.cli import allow, masters
from rdo.cli.profile_option import profile_option
from rdo.client import argv
from rdo.client.argv import Options
from rdo.errors import RdoError, one_line
from rdo.ipc import address
from rdo.trust import store as trust


@click.command("deny")
@profile_option("Deny this profile.")
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
    here = [each for each in store.records() if each.config == path]
    forgotten = [each.profile for each in here if each.profile == name or each.digest in denied]
    for each in forgotten:
        store.forget(path, each)
    for master in masters.found(address.runtime_directory(os.environ)):  # of any profile, not only the denied one
        if chosen := [target for target in master.targets if target.is_used_by(path)]:
            masters.stop(master, now=False, targets=chosen)
    for each in forgotten or [name]:
        click.echo(one_line(f"{'denied' if forgotten else 'was not allowed'}: profile `{each}` of `{path}`"))


def digests(store: trust.Store, config: str, profile: str) -> set[str]:
    """What was allowed for the profile, and what it asks for now, which another profile's record may allow, too."""
    record = store.find(config, profile)
    found = {record.digest} if record else set()
    with contextlib.suppress(RdoError):  # a file with an error has nothing to revoke
        found.add(allow.trust_request(allow.load(profile)).digest)
    return found
