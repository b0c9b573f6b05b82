"""The .rdo.conf that `rdoctl init` writes: it loads, as it is and with any of its suggestions taken."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rdo import config
from rdo.cli import template
from rdo.settings import KEYS

TARGETS: list[dict[str, Any]] = [
    {"driver": "ssh", "host": "devbox", "port": 22, "directory": '/srv/it\'s "here" \\ ü'},
    {"driver": "vagrant"},
    {"driver": "docker", "service": "web"},
    {"driver": "docker", "image": "python:3.12", "directory": "/src"},
    {"driver": "local"},
]


def load(folder: Path, text: str, profile: str = "default") -> config.Config:
    """What a file of this text says."""
    (folder / ".rdo.conf").write_text(text)
    return config.load(str(folder / ".rdo.conf"), profile, None)


@pytest.mark.parametrize("values", TARGETS)
def test_the_file_says_what_was_answered_and_nothing_else(tmp_path: Path, values: dict[str, Any]) -> None:
    loaded = load(tmp_path, template.render(values))
    assert {name: getattr(loaded.settings, name) for name in values} == values
    assert {name for name, origin in loaded.origins.items() if origin.line} == set(values)


@pytest.mark.parametrize("values", TARGETS)
def test_every_suggestion_in_it_can_be_taken(tmp_path: Path, values: dict[str, Any]) -> None:
    text = re.sub(r"^#(?=[\w\[])", "", template.render(values), flags=re.MULTILINE)
    loaded = load(tmp_path, text, "ci")
    assert len([name for name, origin in loaded.origins.items() if origin.line and name in KEYS]) > len(values)


@pytest.mark.parametrize("values", TARGETS)
def test_no_line_is_longer_than_a_wide_terminal(values: dict[str, Any]) -> None:
    assert max(map(len, template.render(values).splitlines())) <= 120
