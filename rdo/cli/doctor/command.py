"""`rdoctl doctor`: runs the checks in order, and prints a line for each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

import click

from rdo.cli import allow
from rdo.cli.doctor import browser, check, client, files, ports, ssh
from rdo.cli.doctor import target as doctor_target
from rdo.cli.doctor.check import Check, CheckOutcome, CheckVerdict, Finding, ok
from rdo.cli.profile_option import profile_option
from rdo.config.load import Config
from rdo.drivers import registry
from rdo.errors import printable, without_middle
from rdo.ipc import address
from rdo.shims import script
from rdo.trust import store
from rdo.util.phrases import listed

DRIVER_CHECKS: Mapping[str, Callable[[Config], Iterator[Check]]] = {"ssh": ssh.checks}
"""The checks of the connection to a target, by driver; a driver without checks of its own is not in it."""


@click.command("doctor")
@profile_option("Check this profile.")
@click.pass_context
def command(ctx: click.Context, profile: str) -> None:
    """Check the connection to the target, step by step."""
    outcomes = []
    for outcome in examine(profile):
        click.echo(without_middle(printable(str(outcome))))
        outcomes.append(outcome)
    click.echo(printable(check.conclusion(outcomes)))
    ctx.exit(1 if any(outcome.finding.verdict is CheckVerdict.FAILED for outcome in outcomes) else 0)


def examine(profile: str) -> Iterator[CheckOutcome]:
    """The outcome of each check, as it comes."""
    first = [
        *([Check("PATH", _path)] if _in_projects() else []),
        Check("client", client.find),
        Check("runtime directory", lambda: ok(address.runtime_directory(os.environ))),
        Check("config", lambda: _config(profile)),
        Check("trust", lambda: _trust(profile), needs=("config",)),
    ]
    here = list(check.run_checks(first))
    yield from here
    if here[-1].finding.verdict is not CheckVerdict.OK:
        lacking = next(name for name, finding in here[1:] if finding.verdict is CheckVerdict.FAILED)
        yield CheckOutcome("everything else", check.skipped(f"needs `{lacking}`"))
        return
    loaded = allow.load(profile)
    route = DRIVER_CHECKS.get(loaded.settings.driver)
    yield from check.run_checks(
        [
            *(route(loaded) if route else ()),
            *doctor_target.checks(loaded),
            *ports.checks(loaded),
            *browser.checks(loaded),
            *files.checks(loaded),
        ]
    )


def _in_projects() -> list[str]:
    """Directories in PATH that a repository can write to, where earlier releases put shims."""
    return [each for each in os.environ.get("PATH", "").split(os.pathsep) if script.is_in_project(each)]


def _path() -> Finding:
    found = f"{listed(_in_projects())} is in a project, where a repository can place programs"
    return check.warning(found, 'remove it; `eval "$(rdoctl shim env)"` puts shims into PATH')


def _config(profile: str) -> Finding:
    loaded = allow.load(profile)
    loaded.check_sync_root(os.environ)
    target = registry.create(loaded, os.environ).target
    return ok(f"{loaded.path}, profile `{loaded.profile}`: `{target}` by driver {loaded.settings.driver}")


def _trust(profile: str) -> Finding:
    """Before the checks that connect or run anything."""
    request = allow.trust_request(allow.load(profile))
    status = store.status(request, os.environ)
    if not status.is_allowed:
        raise store.refusal(request, status)
    return ok(status.value)
