"""Tests for the .rdo.conf that `rdoctl init` writes: it loads as it is, and with any of its suggestions enabled."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rdo.cli.init import template
from rdo.cli.init.template import LeftOut
from rdo.config import load as config
from rdo.config.schema import KEYS

TARGETS: list[dict[str, Any]] = [
    {"driver": "ssh", "host": "devbox", "port": 22, "directory": '/srv/it\'s "here" \\ ü'},
    {"driver": "vagrant"},
    {"driver": "docker", "service": "web"},
    {"driver": "docker", "image": "python:3.12", "directory": "/src"},
    {"driver": "docker", "build": ".", "env": {"A": "b\x7f", "C": "x" * 60}, "path": ("bin",)},
    {"driver": "local"},
]


def load(directory: Path, text: str, profile: str = "default") -> config.Config:
    """The config from a file with this text."""
    (directory / ".rdo.conf").write_text(text)
    return config.load(str(directory / ".rdo.conf"), profile, None)


@pytest.mark.parametrize("values", TARGETS)
def test_the_file_sets_what_was_answered_and_nothing_else(tmp_path: Path, values: dict[str, Any]) -> None:
    loaded = load(tmp_path, template.render(values))
    assert {name: getattr(loaded.settings, name) for name in values} == values
    assert {name.partition(".")[0] for name, origin in loaded.origins.items() if origin.line} == set(values)


@pytest.mark.parametrize("values", TARGETS)
def test_every_suggestion_in_it_can_be_enabled(tmp_path: Path, values: dict[str, Any]) -> None:
    text = re.sub(r"^#(?=[\w\[])", "", template.render(values), flags=re.MULTILINE)
    loaded = load(tmp_path, text, "ci")
    assert len([name for name, origin in loaded.origins.items() if origin.line and name in KEYS]) > len(values)


@pytest.mark.parametrize("values", TARGETS)
def test_no_line_is_longer_than_a_wide_terminal(values: dict[str, Any]) -> None:
    assert max(map(len, template.render(values).splitlines())) <= 120


def test_names_that_toml_would_not_accept_are_quoted() -> None:
    assert template.literal({"a b": "1", "C": ["x"]}) == '{ "a b" = "1", C = ["x"] }'


def test_the_default_of_a_key_is_beside_its_example() -> None:
    text = template.render({"driver": "local"})
    assert re.search(r"#map_args = false +# rewrite local paths in arguments; default true\n", text)


def test_omissions_are_listed_shortened_and_cannot_end_the_comment(tmp_path: Path) -> None:
    left_out = [LeftOut("features"), LeftOut("a\ndriver = 1", "do " + "x" * 200)]
    text = template.render({"driver": "local"}, "f.json", left_out)
    assert "# Not taken from f.json:\n#  features\n#  a\\x0adriver = 1: do x" in text
    assert max(map(len, text.splitlines())) <= 120
    assert load(tmp_path, text).settings.driver == "local"


@pytest.mark.parametrize("label", ["app\nhost = 1", "x" * 200, "\x1b[2J"])
def test_a_remark_on_a_value_is_in_a_comment_beside_it_which_it_cannot_end(tmp_path: Path, label: str) -> None:
    text = template.render({"driver": "local", "forward": ["3000"]}, remarks={"forward": f"3000 is {label}"})
    assert "as with ssh -L: 3000 is" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 120
    assert load(tmp_path, text).settings.forward == ("3000",)
