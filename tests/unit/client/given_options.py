"""Parses rdo's options for tests."""

from __future__ import annotations

from rdo.client.argv import Options, parse

NOTHING = {name: getattr(Options(), name) for name in Options.__slots__}


def given_by(words: list[str]) -> dict[str, object]:
    """The attributes that differ from those of an empty command line."""
    options = parse(words)
    values = {name: getattr(options, name) for name in Options.__slots__}
    return {name: value for name, value in values.items() if value != NOTHING[name]}
