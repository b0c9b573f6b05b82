"""Tests for the JSON schema of a config file: it accepts and rejects what rdo does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from rdo.cli.schema import command, schema
from rdo.config.legacy import OLD_KEYS
from rdo.config.load import load
from rdo.config.schema import KEYS as ALL_KEYS
from rdo.errors import ConfigError
from tests.conftest import require

PARSE = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli").loads

KEYS = {name: key for name, key in ALL_KEYS.items() if key.help}

EXAMPLE = Path(__file__).parents[3] / ".rdo.conf.example"

TIMEOUT = 60.0
"""Seconds for an editor's program to check a file."""


def faults(text: str) -> list[str]:
    """What an editor would mark in a config file."""
    validator = jsonschema.Draft7Validator(schema())
    return [error.message for error in validator.iter_errors(PARSE(text))]


def test_it_is_a_schema_and_has_each_key_with_its_help() -> None:
    jsonschema.Draft7Validator.check_schema(schema())
    jsonschema.Draft4Validator.check_schema({**schema(), "$schema": "http://json-schema.org/draft-04/schema#"})
    for keys in (schema()["properties"], schema()["definitions"]["profile"]["properties"]):
        assert set(keys) == {*KEYS, *OLD_KEYS}
        assert all(key.help in keys[name]["description"] for name, key in KEYS.items())
        assert keys["map_args"]["default"] is True
        assert "default" not in keys["host"]
    json.dumps(schema())


def test_the_command_prints_it() -> None:
    assert json.loads(CliRunner().invoke(command).stdout) == schema()


def uncommented(text: str) -> str:
    """The example file with all of its keys enabled."""
    return "\n".join(line.removeprefix("#") if line[:2].strip("#").strip() else line for line in text.split("\n"))


def test_the_example_file_is_valid_as_it_is_and_with_every_key_enabled() -> None:
    assert faults(EXAMPLE.read_text()) == []
    assert faults(uncommented(EXAMPLE.read_text())) == []


@pytest.mark.parametrize(("name", "key"), KEYS.items(), ids=list(KEYS))
def test_each_example_value_is_valid_at_the_top_and_in_a_profile(name: str, key: Any) -> None:
    assert faults(f"{name} = {key.example}") == []
    assert faults(f"[ci]\n{name} = {key.example}") == []


RIGHT = [
    'directory = "~/src"', "idle_timeout = 0", "idle_timeout = 1.5", 'idle_timeout = "1h30m"', 'idle_timeout = "90"',
    "env = {}", "[env]\nA = '1'", "[ci.env]\nA = '1'", "pass_env = []", "[ci]", 'ident = "x"', "exec = true",
]  # fmt: skip

WRONG = [
    "hots = 'a'", "[ci]\nhots = 'a'", "host = 3", "host = ''", f"host = '{'h' * 256}'", "port = '22'", "port = 0",
    "port = 65536", "login = 'yes'", "driver = 'telnet'", "path = 'bin'", "path = ['']", "path = [1]", "env = 'A'",
    "env = { A = 1 }", "env = { 'A-B' = '' }", "idle_timeout = 'soon'", "idle_timeout = ''", "idle_timeout = -1",
    "idle_timeout = true", "[ci.deep]\nA = '1'", f"directory = '/{'d' * 1024}'", "pull_image = 'sometimes'",
    "pull = 'sometimes'",
]  # fmt: skip


@pytest.mark.parametrize("text", RIGHT)
def test_what_rdo_accepts_is_not_marked(text: str) -> None:
    assert faults(text) == []


@pytest.mark.parametrize("text", WRONG)
def test_what_rdo_refuses_is_marked(tmp_path: Path, text: str) -> None:
    assert faults(text)
    (tmp_path / ".rdo.conf").write_text(f"{text}\n")
    with pytest.raises(ConfigError):
        load(str(tmp_path / ".rdo.conf"), "ci" if text.startswith("[ci") else None, None)


@pytest.mark.parametrize(
    ("text", "right"), [(EXAMPLE.read_text(), True), ("hots = 'a'\n", False), ("idle_timeout = 'soon'\n", False)]
)
def test_taplo_checks_a_file_with_it(tmp_path: Path, text: str, right: bool) -> None:
    if shutil.which("taplo") is None:
        require("taplo", "it is not installed")
    (tmp_path / "schema.json").write_text(json.dumps(schema()))
    (tmp_path / "file.toml").write_text(text)
    command = ["taplo", "check", "--schema", f"file://{tmp_path}/schema.json", "file.toml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert (done.returncode == 0) == right, done.stderr
