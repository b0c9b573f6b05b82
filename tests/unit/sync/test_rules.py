"""Tests for the settings that decide which side owns a path."""

from __future__ import annotations

from rdo.config.schema import Settings
from rdo.sync.rules import SyncRules, rules_of


def test_the_rules_are_those_of_the_profile() -> None:
    settings = Settings(sync="push", pull=("dist/**",), include=(".env",), exclude=("docs/",), sync_git=True)
    assert rules_of(settings) == SyncRules("push", ("dist/**",), (".env",), ("docs/",), True)
