"""`rdoctl man`: shows a man page, even if rdo was installed by pipx or uv, which put none where `man` looks.

Without `man`, the page is converted to plain text here, as far as these pages use roff.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap

import click

from rdo.errors import RdoError

PAGES = ("rdo", "rdoctl", "rdo-rsh")

PLACES = (
    os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "manual"),  # in a wheel
    os.path.join(os.path.abspath(__file__).rsplit(os.sep, 3)[0], "manual"),  # in a checkout
)

WIDTH = 78
"""Columns in a line."""

INDENT = " " * 7
"""The indentation of everything but headings, as in man(1)."""

_ESCAPE = re.compile(r"\\(?:f[BIR]|&|\((aq|ga|ha|ti)|(e)|(-))")
_NAMED = {"aq": "'", "ga": "`", "ha": "^", "ti": "~"}


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
        click.echo(plain_text(file.read()), nl=False)


def find(page: str) -> str:
    """The path of a page. Raises RdoError if it is not installed."""
    for place in PLACES:
        path = os.path.join(place, f"{page}.1")
        if os.path.isfile(path):
            return path
    raise RdoError(f"the man page of `{page}` is not installed", "", f"type `{page} --help`")


def plain_text(source: str) -> str:
    """A page as plain text, with empty lines between its parts."""
    lines: list[str] = []
    words: list[str] = []
    mode = ""

    def flush() -> None:
        indent = INDENT * (2 if mode == "entry" else 1)
        lines.extend(textwrap.wrap(" ".join(words), WIDTH, initial_indent=indent, subsequent_indent=indent))
        words.clear()

    for line in source.split("\n"):
        request, _, rest = line.partition(" ")
        if request in (".SH", ".SS", ".PP", ".TP", ".nf", ".fi"):
            flush()
            lines += _opening(request, rest, lines)
            mode = {".TP": "term", ".nf": "verbatim"}.get(request, "")
        elif line.startswith(".") or not line:
            continue
        elif mode == "verbatim":
            lines.append(INDENT + "    " + without_escapes(line))
        elif mode == "term":
            lines.append(INDENT + without_escapes(line))
            mode = "entry"
        else:
            words.append(without_escapes(line))
    flush()
    return "\n".join(lines).strip("\n") + "\n"


def _opening(request: str, title: str, before: list[str]) -> list[str]:
    """The lines that a request puts before the text that follows it."""
    gap = [""] if before and before[-1] and request != ".fi" else []
    if request in (".SH", ".SS"):
        return [*gap, ("   " if request == ".SS" else "") + without_escapes(title.strip('"'))]
    after_heading = bool(before) and not before[-1].startswith(INDENT)
    return [] if after_heading else gap


def without_escapes(line: str) -> str:
    """A line with roff escapes replaced by what they stand for."""
    return _ESCAPE.sub(lambda match: _NAMED.get(match[1] or "", "") or ("\\" if match[2] else match[3] or ""), line)
