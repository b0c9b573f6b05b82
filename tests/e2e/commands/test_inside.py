"""Tests for rdo on its own target: within a command of rdo, it runs commands directly."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project
from tests.e2e.shims import add
from tests.environment import stop_masters


@pytest.fixture
def project(configured: Project) -> Iterator[Project]:
    runtime_there(configured).mkdir(mode=0o700, exist_ok=True)
    yield configured
    stop_masters({"XDG_RUNTIME_DIR": str(runtime_there(configured))})


@pytest.fixture
def copied(project: Project) -> Project:
    """A project whose config is also on the target, where nobody has allowed it."""
    shutil.copy(project.local / ".rdo.conf", project.remote)
    return project


def runtime_there(project: Project) -> Path:
    """The runtime directory on the target. Its path is short, because another directory would be used otherwise."""
    return Path(project.environment["XDG_RUNTIME_DIR"], "there")


def nested(project: Project, *words: str) -> str:
    """A shell string that runs rdo on the target, with another runtime directory."""
    home = project.remote.parent / "there"
    home.mkdir(mode=0o700, exist_ok=True)
    rdo = os.fsdecode(project.command()[0])
    settings = f"HOME={home} XDG_RUNTIME_DIR={runtime_there(project)} XDG_STATE_HOME={home} XDG_CONFIG_HOME={home}"
    return f"unset RDO_TRUST; {settings} {rdo} " + " ".join(f"'{word}'" for word in words)


def test_a_makefile_with_rdo_in_it_works_on_the_target_too(copied: Project) -> None:
    (copied.remote / "src/Makefile").write_text(f"test:\n\t@{nested(copied, 'sh', '-c', 'pwd; exit 3')}\n")
    found = copied.run("make", "test", cwd="src")
    assert (found.returncode, found.stdout.decode()) == (2, f"{copied.remote}/src\n")
    assert b"Error 3" in found.stderr


@pytest.mark.parametrize(
    ("words", "output"),
    [
        pytest.param(["-C", "src", "pwd"], "{remote}/src\n", id="-C"),
        pytest.param(["--dir", "/", "pwd"], "/\n", id="--dir"),
        pytest.param(["-e", "X=a b", "printenv", "X"], "a b\n", id="-e"),
        pytest.param(["-c", "echo $0 $1", "x", "y"], "x y\n", id="-c"),
        pytest.param(["-ec", "false; echo on"], "", id="-ec"),
        pytest.param(["-n", "cat"], "", id="-n"),
        pytest.param(["-T", "--no-map", "echo", "/x"], "/x\n", id="-T"),
    ],
)
def test_options_have_the_same_meaning_there(copied: Project, words: list[str], output: str) -> None:
    found = copied.run("-c", nested(copied, *words))
    assert found.stdout.decode() == output.format(remote=copied.remote)
    assert found.stderr == b""


@pytest.mark.parametrize(("words", "status"), [(["no-such-thing"], 127), (["/etc/passwd"], 126), (["/nowhere"], 127)])
def test_a_command_that_cannot_be_run_has_the_status_of_a_shell(copied: Project, words: list[str], status: int) -> None:
    found = copied.run("-c", nested(copied, *words))
    assert (found.returncode, found.stdout, found.stderr.count(b"\n")) == (status, b"", 1)
    assert found.stderr.startswith(f"rdo: cannot run `{words[0]}` here, on the target: ".encode())


def test_if_the_config_is_not_on_the_target_its_directory_is_enough(project: Project) -> None:
    assert project.run("-c", nested(project, "pwd")).stdout.decode() == f"{project.remote}\n"
    elsewhere = project.run("-c", f"cd /; {nested(project, 'pwd')}")
    assert (elsewhere.returncode, elsewhere.stdout) == (255, b"")
    assert b"no `.rdo.conf` in `/`" in elsewhere.stderr


def test_another_project_or_profile_there_is_another_target(copied: Project, tmp_path: Path) -> None:
    other = copied.remote / "other"
    other.mkdir()
    (other / ".rdo.conf").write_text('driver = "nonsense"\n')
    for string in (f"cd other; {nested(copied, 'pwd')}", nested(copied, "-p", "nope", "pwd")):
        found = copied.run("-c", string)
        assert (found.returncode, found.stdout) == (255, b"")


def test_a_shim_there_is_not_run_in_place_of_its_tool(copied: Project) -> None:
    add(copied, "tool")
    bin_there = copied.remote / "bin"
    bin_there.mkdir()
    shutil.copy(copied.local / ".rdo/bin/tool", bin_there)
    tools = copied.remote / "tools"
    tools.mkdir()
    (tools / "tool").write_text("#!/bin/sh\necho the tool itself\n")
    (tools / "tool").chmod(0o755)
    string = f"PATH={bin_there}:{tools}:$PATH; export PATH; {nested(copied, 'tool')}"
    assert copied.run("-c", string.replace(f"{copied.remote}", ".")).stdout == b"the tool itself\n"
