"""README.md: what it shows loads, runs, and is in the code."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from rdo.argv import FLAGS, VALUES
from rdo.config import Config, load
from rdo.settings import KEYS, Settings
from tests.e2e import readme
from tests.e2e.project import Project
from tests.e2e.readme import Block

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LOCAL_HOME, REMOTE = "/home/me", "/srv/myapp"
"""What the README has for the home folder and for the folder on the target."""

END = "--- status "
"""Written behind each command of a transcript; no command of the README puts that out."""

SSH = next(block.text for block in readme.blocks("toml") if 'driver = "ssh"' in block.text)
"""The config of the quick start, with which a transcript runs that shows none."""

MAKEFILE = """\
bootstrap:
\t@echo "bootstrap: in $$(pwd)"
\t@echo "bootstrap: done"
where:
\techo "recipe: $$(pwd)"
"""

README_LINES = 420
"""More than that, nobody reads."""

configs = pytest.mark.parametrize("block", readme.blocks("toml", "ini"), ids=str)
transcripts = pytest.mark.parametrize("block", readme.blocks("console"), ids=str)
MESSAGES = list(readme.messages(readme.TOP / "rdo"))


@pytest.fixture
def shown(project: Project) -> Project:
    """The shared sshd's project, in the place that the transcripts have it, and with what they use."""
    local = Path(project.environment["HOME"], "myapp")
    remote = project.remote.with_name("there")
    for folder in (local / "src", local.with_name("newapp"), remote / "src"):
        folder.mkdir(parents=True)
    for folder in (local, remote, remote / "src"):
        (folder / "Makefile").write_text(MAKEFILE)
    (remote / "names.txt").touch()
    moved = Project(local, remote, project.environment)
    moved.configure(in_place(SSH, moved))
    return moved


def in_place(text: str, project: Project) -> str:
    """A text of the README with the project's real folders."""
    return text.replace(REMOTE, str(project.remote)).replace(LOCAL_HOME, project.environment["HOME"])


def play(project: Project, steps: list[readme.Step]) -> list[tuple[str, int]]:
    """Output and exit status of each command, typed one after the other into one shell."""
    lines = [f"{step.command}\nrdo_s=$?; echo '{END}'$rdo_s; (exit $rdo_s)" for step in steps]
    output = project.shell("exec 2>&1\n" + "\n".join(lines)).stdout.decode()
    found = re.findall(rf"(.*?){END}(\d+)\n", output, re.DOTALL)
    return [(text, int(status)) for text, status in found]


@transcripts
def test_a_transcript_is_what_its_commands_put_out(shown: Project, block: Block) -> None:
    steps = readme.steps(in_place(block.text, shown))
    for step in steps:
        if step.command == "cat .rdo.conf":
            shown.configure(step.output)
    played = play(shown, steps)
    assert len(played) == len(steps), played
    for step, (output, status) in zip(steps, played, strict=True):
        assert step.pattern.fullmatch(output), f"$ {step.command}\n{output}"
        assert status == 0, step.command


def test_each_make_target_it_names_exists() -> None:
    makefile = (readme.TOP / "Makefile").read_text()
    named = set(re.findall(r"(?:^|`)make ([a-z]+)(?=[` ])", readme.TEXT, re.MULTILINE))
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
    for block in readme.blocks("toml"):
        (tmp_path / ".rdo.conf").write_text(block.text)
        assert load(str(tmp_path / ".rdo.conf"), None, None).settings.driver == block.heading


def read_default(key: str, cell: str) -> object:
    """The default that a cell of the table shows."""
    return KEYS[key].kind.check(tomllib.loads(f"x = {cell.strip('`')}")["x"])


def test_the_table_of_keys_has_each_key_with_its_drivers_default_example_and_meaning() -> None:
    rows = readme.table("Keys of the config file")
    assert [row[0] for row in rows] == [f"`{field.name}`" for field in fields(Settings)]
    for (_, drivers, default, example, meaning), about in zip(rows, KEYS.values(), strict=True):
        assert drivers == (", ".join(about.drivers) or "all"), about.name
        assert example == f"`{about.example}`"
        assert meaning == about.help
        value = getattr(Settings(), about.name)
        assert value in (None, "") if default == "-" else read_default(about.name, default) == value, about.name


def test_the_table_of_options_has_each_option() -> None:
    cells = [row[0] for row in readme.table("Options of rdo")]
    named = {span.split("[")[0].split()[0] for cell in cells for span in readme.code_spans(cell)}
    assert named == {*FLAGS, *VALUES, "--"}


@pytest.mark.parametrize("row", readme.table("Troubleshooting"), ids=lambda row: row[0])
def test_each_error_text_it_quotes_is_one_of_the_code(row: list[str]) -> None:
    (text,) = readme.code_spans(row[0])
    assert any(pattern.fullmatch(line) for pattern in MESSAGES for line in (text, f"rdo: {text}"))


def test_each_file_it_links_to_exists() -> None:
    for link in re.findall(r"\]\(([^)]+)\)", readme.TEXT):
        assert os.path.exists(readme.TOP / link), link


def test_it_is_short_and_its_lines_fit() -> None:
    lines = readme.TEXT.splitlines()
    assert len(lines) < README_LINES
    assert max(len(line) for line in lines if not line.startswith("|")) <= 120
