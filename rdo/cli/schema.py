"""`rdoctl schema`: prints a JSON schema of config files, for editors. It is made from the table of keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from rdo.config.legacy import OLD_KEYS
from rdo.config.schema import KEYS, ConfigKey, Settings

DRAFT = "http://json-schema.org/draft-07/schema#"
"""Editors that only know draft 4, such as Taplo, understand every keyword of the schema that matters."""

PROFILE = "#/definitions/profile"


@click.command("schema")
def command() -> None:
    """Print a JSON schema of .rdo.conf, for editors.

    With it, Taplo, Even Better TOML and PyCharm complete keys, describe them, and mark errors:
    rdoctl schema > ~/.config/rdo/schema.json
    """
    click.echo(json.dumps(schema(), indent=2))


def schema() -> dict[str, Any]:
    """The schema: keys at the top are the profile `default`, and each table is another profile."""
    known = zip(KEYS.values(), Settings(), strict=True)
    keys = {key.name: _key(key, default) for key, default in known if key.help}
    keys |= {name: {"description": help, "deprecated": True} for name, help in OLD_KEYS.items()}
    return {
        "$schema": DRAFT,
        "title": "a config file of rdo",
        "type": "object",
        "properties": keys,
        "additionalProperties": {"$ref": PROFILE},
        "definitions": {
            "profile": {
                "title": "a profile",
                "description": "a profile, selected with `rdo -p NAME`; it inherits the keys at the top",
                "type": "object",
                "properties": keys,
                "additionalProperties": False,
            }
        },
    }


def _key(key: ConfigKey, default: object) -> dict[str, Any]:
    only = f"; only for {' and '.join(key.drivers)}" if key.drivers else ""
    place = "; only in ~/.config/rdo/config.toml" if key.personal else ""
    text = f"{key.help}{only}{place}, as in `{key.name} = {key.example}`"
    found = {"description": text, **key.value_type.schema}
    return found if default in (None, "") else {**found, "default": _plain(default)}


def _plain(value: object) -> object:
    """The value with types that JSON has."""
    return dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, tuple) else value
