"""`python -m manual`: writes the man pages to `manual/`, and `docs/commands.md`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from manual import commands, markdown, usage
from manual.page import Entry, Heading, Paragraph, Piece, render
from rdo import __version__
from rdo.cli.command_group import rdoctl
from rdo.client.help import HELP, RSH_HELP
from rdo.config.schema import KEYS

DIRECTORY = Path(__file__).parent

REFERENCE = DIRECTORY.parent / "docs" / "commands.md"

DATE = "2026-11-28"
"""The date of the release rather than of the build, so that the same sources produce the same pages."""

FILES: Mapping[str, str] = {
    ".rdo.conf": "the config of a project, in its top directory; `.rdo.local.conf` beside it is for this machine only",
    "~/.config/rdo/config.toml": "the same keys, for all projects of the user",
    "$XDG_RUNTIME_DIR/rdo/, else /tmp/rdo-UID/": "the control sockets of the masters, and a log for each",
    "~/.local/state/rdo/": "what `rdoctl allow` has allowed, the host keys of Vagrant machines, and shims for PATH",
    "~/.cache/rdo/": "how Vagrant machines are reached",
    ".rdo/bin/": "the shims of a project",
    "~/.ssh/config, ~/.ssh/known_hosts": "read as by `ssh`, with all that they include",
    "~/.docker/config.json": "read as by `docker`: the context, and the credentials of registries",
}

VARIABLES = "## Environment variables\n"
"""The heading of the table in README that the pages include."""


def pages() -> Mapping[str, str]:
    """The text of each page, by the name of its file."""
    made = {
        "rdo": [*usage.pieces("rdo", HELP), *keys(), *files(), *variables(), *see("rdoctl", "rdo-rsh", "ssh")],
        "rdo-rsh": [*usage.pieces("rdo-rsh", RSH_HELP), *see("rdo", "rdoctl", "ssh", "rsync")],
        "rdoctl": [*commands.pieces(rdoctl), *files(), *variables(), *see("rdo", "rdo-rsh")],
    }
    return {f"{name}.1": render(name, DATE, __version__, pieces) for name, pieces in made.items()}


def reference() -> str:
    """The page in the documentation with all command lines."""
    parts = {
        "rdo": usage.pieces("rdo", HELP),
        "rdoctl": commands.pieces(rdoctl),
        "rdo-rsh": usage.pieces("rdo-rsh", RSH_HELP),
    }
    head = ["# All commands", "Made by `make man` from what `--help` shows. `man rdo` and `rdoctl man` say the same."]
    return "\n\n".join([*head, *(markdown.render(name, pieces) for name, pieces in parts.items())]) + "\n"


def keys() -> Iterator[Piece]:
    """The section on the keys of a config file."""
    yield Heading("CONFIGURATION")
    yield Paragraph(
        "A `.rdo.conf` is in TOML. The keys above the first `[table]` form the profile `default`, and each table is "
        "another profile, which inherits from it. The same keys can be set in `~/.config/rdo/config.toml`, for all "
        "projects, and in `.rdo.local.conf` beside a `.rdo.conf`, for this machine."
    )
    shown = defaults()
    for key in (key for key in KEYS.values() if key.help):
        drivers = f" ({', '.join(key.drivers)})" if key.drivers else ""
        default = "no default" if shown[key.name] == "-" else f"default: {shown[key.name]}"
        yield Entry(key.name, f"{key.help}{drivers}; {default}; example: `{key.name} = {key.example}`")


def defaults() -> Mapping[str, str]:
    """The default of each key, as README's table shows it."""
    table = (DIRECTORY.parent / "README.md").read_text().partition("<!-- --8<-- [start:keys] -->")[2]
    return dict(re.findall(r"^\| `([a-z_]+)` \| [a-z, ]+ \| (.*?) \|", table, re.MULTILINE))


def files() -> Iterator[Piece]:
    """The section on the files that rdo reads and writes on this machine."""
    yield Heading("FILES")
    for path, meaning in FILES.items():
        yield Entry(path, meaning)


def variables() -> Iterator[Piece]:
    """The section on environment variables, from README's table."""
    yield Heading("ENVIRONMENT")
    table = (DIRECTORY.parent / "README.md").read_text().partition(VARIABLES)[2].partition("\n#")[0]
    for names, meaning in re.findall(r"^\| (`[A-Z].*?) \| (.*) \|$", table, re.MULTILINE):
        yield Entry(names.replace("`", ""), meaning)


def see(*names: str) -> Iterator[Piece]:
    """The section that refers to other pages."""
    yield Heading("SEE ALSO")
    yield Paragraph(", ".join(f"`{name}`(1)" for name in names))


if __name__ == "__main__":
    for name, text in pages().items():
        (DIRECTORY / name).write_text(text)
        print(f"wrote manual/{name}")
    REFERENCE.write_text(reference())
    print("wrote docs/commands.md")
