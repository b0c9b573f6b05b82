"""`python -m manual`: write the man pages into `manual/`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from manual import commands, usage
from manual.page import Entry, Heading, Paragraph, Piece, render
from rdo import __version__
from rdo.cli import rdoctl
from rdo.settings import KEYS
from rdo.usage import HELP, RSH_HELP

FOLDER = Path(__file__).parent

DATE = "2026-11-20"
"""Of the version. Not the day of the making: the same sources give the same pages."""

VARIABLES = "## Environment variables\n"
"""The heading in README of the table that the pages have too."""


def pages() -> Mapping[str, str]:
    """Each page's text by the name of its file."""
    made = {
        "rdo": [*usage.pieces("rdo", HELP), *keys(), *variables(), *see("rdoctl", "rdo-rsh", "ssh")],
        "rdo-rsh": [*usage.pieces("rdo-rsh", RSH_HELP), *see("rdo", "rdoctl", "ssh", "rsync")],
        "rdoctl": [*commands.pieces(rdoctl), *variables(), *see("rdo", "rdo-rsh")],
    }
    return {f"{name}.1": render(name, DATE, __version__, pieces) for name, pieces in made.items()}


def keys() -> Iterator[Piece]:
    """The keys of a config file."""
    yield Heading("CONFIGURATION")
    yield Paragraph(
        "A `.rdo.conf` is TOML. Keys above the first `[table]` are the profile `default`, each table is one more "
        "profile. The same keys may stand in `~/.config/rdo/config.toml`, for all projects, and in `.rdo.local.conf` "
        "beside a `.rdo.conf`, for this machine."
    )
    for key in KEYS.values():
        drivers = f" ({', '.join(key.drivers)})" if key.drivers else ""
        yield Entry(f"{key.name} = {key.example}", f"{key.help}{drivers}")


def variables() -> Iterator[Piece]:
    """The environment variables, from README's table."""
    yield Heading("ENVIRONMENT")
    table = (FOLDER.parent / "README.md").read_text().partition(VARIABLES)[2].partition("\n#")[0]
    for names, meaning in re.findall(r"^\| (`[A-Z].*?) \| (.*) \|$", table, re.MULTILINE):
        yield Entry(names.replace("`", ""), meaning)


def see(*names: str) -> Iterator[Piece]:
    """Other pages."""
    yield Heading("SEE ALSO")
    yield Paragraph(", ".join(f"`{name}`(1)" for name in names))


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
        print(f"wrote manual/{name}")
