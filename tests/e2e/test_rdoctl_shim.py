"""Tests for `rdoctl shim`: what it writes, removes and leaves alone, and PATH."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.project import TIMEOUT, Project, local_project
from tests.e2e.shims import add, rdoctl


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project whose target is another directory of this machine."""
    return local_project(tmp_path, runtime)


def test_add_list_and_remove_report_what_they_did_and_leave_nothing(project: Project) -> None:
    directory = project.local / ".rdo/bin"
    assert rdoctl(project, "list").stdout == b"no shims\n"
    added = rdoctl(project, "add", "tox", "g++", cwd="src")
    assert added.stdout.decode() == f"wrote {directory}/tox\nwrote {directory}/g++\n"
    assert rdoctl(project, "add", "tox").stdout.decode() == f"wrote {directory}/tox\n"
    assert rdoctl(project, "list").stdout.decode() == f"g++  {directory}/g++\ntox  {directory}/tox\n"
    assert rdoctl(project, "remove", "tox").stdout.decode() == f"removed {directory}/tox\n"
    assert rdoctl(project, "remove", "tox").returncode == 255
    assert rdoctl(project, "remove", "g++", "g++").returncode == 0
    assert not (project.local / ".rdo").exists()


@pytest.mark.parametrize("name", ["a/b", "../x", "-- -x", "rdo", "two words"])
def test_an_invalid_name_is_refused_and_nothing_is_written(project: Project, name: str) -> None:
    words = name.split() if name.startswith("-") else [name]
    result = rdoctl(project, "add", "make", *words)
    assert (result.returncode, result.stderr.count(b"\n")) == (255, 1)
    assert result.stderr.startswith(b"rdoctl: cannot create a shim `")
    assert not (project.local / ".rdo").exists()


def test_a_file_that_is_not_a_shim_is_neither_replaced_nor_removed(project: Project, tmp_path: Path) -> None:
    add(project, "make")
    directory = project.local / ".rdo/bin"
    (directory / "tox").write_text("#!/bin/sh\necho mine\n")
    (directory / "link").symlink_to(directory / "make")
    (directory / "dangling").symlink_to(tmp_path / "made")
    for name in ("tox", "link", "dangling"):
        for verb in ("add", "remove"):
            result = rdoctl(project, verb, "pwd" if verb == "add" else "make", name)
            assert (result.returncode, result.stderr.count(b"\n")) == (255, 1)
            assert result.stderr.decode().startswith(f"rdoctl: `{directory}/{name}` is not a shim")
    assert sorted(path.name for path in directory.iterdir()) == [".gitignore", "dangling", "link", "make", "tox"]
    assert (directory / "tox").read_text() == "#!/bin/sh\necho mine\n"
    assert rdoctl(project, "remove", "make").returncode == 0
    assert (directory / "tox").exists()


@pytest.mark.parametrize("name", [".rdo", ".rdo/bin"])
def test_a_link_in_place_of_the_directory_is_not_followed(project: Project, tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere" / "bin").mkdir(parents=True)
    link = project.local / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(tmp_path / "elsewhere")
    result = rdoctl(project, "add", "make")
    assert result.stderr.decode() == f"rdoctl: `{link}` is not a directory; move it out of the way first\n"
    assert [path.name for path in (tmp_path / "elsewhere").rglob("*")] == ["bin"]


def test_git_ignores_all_of_it(project: Project) -> None:
    if shutil.which("git") is None:
        require("git", "it is not installed")
    add(project, "make")
    result = project.shell("git init --quiet && rm .rdo.conf && git status --porcelain --untracked-files=all")
    assert result.stdout == b""


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish"])
def test_env_puts_the_shims_of_the_current_project_in_path_and_of_no_other(
    tmp_path: Path, runtime: dict[str, str], shell: str
) -> None:
    if shutil.which(shell) is None:
        require(shell, "it is not installed")
    one, two = (local_project(tmp_path / name, runtime) for name in ("it's one\\", "two"))
    for project in (one, two):
        add(project, "pwd")
    script = """\
cd "$ONE/src"; eval "$(rdoctl shim env)"; command -v pwd; printenv PATH
cd "$TWO"; eval "$(rdoctl shim env)"; command pwd >/dev/null; printenv PATH
cd /; eval "$(rdoctl shim env --off)"; printenv PATH
"""
    if shell == "sh":
        script = script.replace("command -v pwd", "true")
    environment = {**runtime, "ONE": str(one.local), "TWO": str(two.local), "HOME": runtime["HOME"]}
    result = subprocess.run([shell, "-c", script], env=environment, capture_output=True, text=True, timeout=TIMEOUT)
    lines = [line for line in result.stdout.splitlines() if ":" in line]
    rest = f":{runtime['PATH']}"
    first, second, last = lines
    assert (last, result.stderr) == (runtime["PATH"], "")
    for line, project in ((first, one), (second, two)):
        assert line.endswith(rest)
        directory = line.removesuffix(rest)
        assert directory.startswith(f"{shims_of(runtime)}/{re.sub('[^a-z]', '_', project.local.name)}-")
        assert (Path(directory) / "pwd").read_bytes() == (project.local / ".rdo/bin/pwd").read_bytes()
    assert first != second


def test_env_outside_of_a_project_prints_nothing_to_evaluate(project: Project, tmp_path: Path) -> None:
    result = rdoctl(project, "env", cwd=str(tmp_path))
    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (255, b"", 1)


def shims_of(environment: Mapping[str, str]) -> str:
    state = environment.get("XDG_STATE_HOME") or environment["HOME"] + "/.local/state"
    return f"{state}/rdo/shims"


def test_env_for_a_directory_that_path_cannot_contain_is_an_error(tmp_path: Path, runtime: dict[str, str]) -> None:
    project = local_project(tmp_path, {**runtime, "XDG_STATE_HOME": f"{tmp_path}/a:b"})
    result = rdoctl(project, "env")
    assert (result.returncode, result.stdout) == (255, b"")
    assert b"it contains a colon" in result.stderr


def test_bash_completes_the_names_of_shims_to_remove(project: Project) -> None:
    add(project, "make", "mypy", "tox")
    words = "COMP_WORDS=(rdoctl shim remove m) COMP_CWORD=3; _rdoctl_completion rdoctl m shim"
    result = project.shell(f'eval "$(rdoctl completion bash)"; {words}; printf "%s\\n" "${{COMPREPLY[@]}}"')
    assert result.stdout == b"make\nmypy\n"
