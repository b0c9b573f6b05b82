"""The part of `rdoctl explain` about URLs that a command opens on the target."""

from __future__ import annotations

import os
from collections.abc import Iterator

from rdo.cli import table
from rdo.client import browser
from rdo.config.load import Config
from rdo.ipc.request import Request


def sections(loaded: Config, asked: Request) -> Iterator[tuple[str, list[str]]]:
    """The title of the part, and its lines."""
    yield "URLs that the command opens", table.render(list(_rows(loaded, asked)))


def _rows(loaded: Config, asked: Request) -> Iterator[tuple[str, ...]]:
    settings = loaded.settings
    if settings.driver == "local":
        yield ("are opened by the command itself, on this machine",)
        return
    if settings.fresh:
        yield ("are not opened here: each command has a container of its own",)
        return
    if settings.open_browser == "ask" and not asked.can_answer:
        yield ("are not opened here: there is no terminal to ask on",)
        return
    program = browser.program(os.environ)
    how = f"by `{program}`" if program else "but no browser was found: set BROWSER to the command that starts one"
    yield ("are opened here", "after a question" if settings.open_browser == "ask" else "and shown", how)
