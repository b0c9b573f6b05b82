"""Checks README.md: what it shows loads, runs, and matches the code."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from rdo.cli.command_table import COMMANDS
from rdo.client.argv import FLAGS, VALUES
from rdo.config.load import Config, load
from rdo.config.schema import KEYS, Settings
from tests.e2e import document, transcript
from tests.e2e.document import README, TOP, Block
from tests.e2e.project import Project

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

configs = pytest.mark.parametrize("block", README.blocks("toml", "ini"), ids=str)
transcripts = pytest.mark.parametrize("block", README.blocks("console"), ids=str)


@transcripts
def test_a_transcript_shows_the_output_of_its_commands(tmp_path: Path, project: Project, block: Block) -> None:
    shown = transcript.prepare(project.environment, tmp_path / "there")
    replaced = {transcript.REMOTE: str(shown.remote), transcript.LOCAL_HOME: project.environment["HOME"]}
    shown.configure(transcript.in_place(transcript.SSH, replaced))
    transcript.play(shown, block, replaced)


def test_each_make_target_it_names_exists() -> None:
    makefile = (TOP / "Makefile").read_text()
    named = set(re.findall(r"(?:^|`)make ([a-z]+)(?=[` ])", README.text, re.MULTILINE))
    assert {"demo", "test", "bench"} <= named
    assert named <= set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


@configs
def test_each_config_block_loads_with_all_of_its_profiles(tmp_path: Path, block: Block) -> None:
    (tmp_path / ".rdo.conf").write_text(block.text)
    path = str(tmp_path / ".rdo.conf")
    default: Config = load(path, None, None)
    assert default.settings.driver
    for profile in default.profiles:
        assert load(path, profile, None).settings.driver


def test_each_driver_has_a_config_block_under_a_heading_of_its_name(tmp_path: Path) -> None:
    for block in README.blocks("toml"):
        (tmp_path / ".rdo.conf").write_text(block.text)
        assert load(str(tmp_path / ".rdo.conf"), None, None).settings.driver == block.heading


def read_default(key: str, cell: str) -> object:
    """The default in a cell of the table."""
    return KEYS[key].value_type.check(tomllib.loads(f"x = {cell.strip('`')}")["x"])


def test_the_table_of_keys_has_each_key_with_its_drivers_default_example_and_meaning() -> None:
    rows = README.table("Keys of the config file")
    keys = [key for key in KEYS.values() if key.help]
    assert [row[0] for row in rows] == [f"`{key.name}`" for key in keys]
    for (_, drivers, default, example, meaning), about in zip(rows, keys, strict=True):
        assert drivers == (", ".join(about.drivers) or "all"), about.name
        assert example == f"`{about.example}`"
        assert meaning == about.help
        value = getattr(Settings(), about.name)
        assert value in (None, "") if default == "-" else read_default(about.name, default) == value, about.name


def test_the_table_of_options_has_each_option() -> None:
    cells = [row[0] for row in README.table("Options of rdo")]
    named = {span.split("[")[0].split()[0] for cell in cells for span in document.code_spans(cell)}
    assert named == {*FLAGS, *VALUES, "--"}


@pytest.mark.parametrize("row", README.table("Troubleshooting"), ids=lambda row: row[0])
def test_each_error_text_it_quotes_is_in_the_code(row: list[str]) -> None:
    (text,) = document.code_spans(row[0])
    assert document.is_message(text) or document.is_message(f"rdo: {text}")


def test_it_names_each_command_of_rdoctl() -> None:
    sentence = README.text.partition("The commands of `rdoctl` are ")[2].partition(";")[0]
    assert sorted(re.findall(r"`(\w+)`", sentence)) == sorted(COMMANDS)


def test_its_lines_are_not_too_long() -> None:
    lines = README.text.splitlines()
    assert max(len(line) for line in lines if not line.startswith("|")) <= 120
