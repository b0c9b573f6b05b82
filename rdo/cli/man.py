"""`rdoctl man`: shows a man page, wherever rdo was installed: pipx and uv put none where `man` looks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import click

from rdo.cli import roff
from rdo.errors import RdoError

PAGES = ("rdo", "rdoctl", "rdo-rsh")

PLACES = (
    os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "manual"),  # in a wheel
    os.path.join(os.path.abspath(__file__).rsplit(os.sep, 3)[0], "manual"),  # in a checkout
)


@click.command("man")
@click.argument("page", type=click.Choice(PAGES), default="rdo")
def command(page: str) -> None:
    """Show the man page of rdo, rdoctl or rdo-rsh.

    This works even where `man rdo` finds no page, as after `pipx install`. The page is printed as plain text if
    stdout is not a terminal or there is no `man` program.
    """
    path = find(page)
    program = shutil.which("man")
    if program and sys.stdout.isatty():
        sys.exit(subprocess.run([program, path], check=False).returncode)
    with open(path, encoding="utf-8") as file:
        click.echo(roff.text(file.read()), nl=False)


def find(page: str) -> str:
    """The path of a page. Raises RdoError."""
    for place in PLACES:
        path = os.path.join(place, f"{page}.1")
        if os.path.isfile(path):
            return path
    raise RdoError(f"the man page of `{page}` is not installed", "", f"type `{page} --help`")
