"""Which files are copied in which direction, according to the config. Pure."""

from __future__ import annotations

from typing import NamedTuple

from rdo.config.schema import Settings


class SyncRules(NamedTuple):
    """The settings of a profile that decide who owns a path. The lists are patterns (patterns.py)."""

    mode: str
    pull: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    sync_git: bool = False


def rules_of(settings: Settings) -> SyncRules:
    """The rules of a profile."""
    return SyncRules(settings.sync, settings.pull, settings.include, settings.exclude, settings.sync_git)
