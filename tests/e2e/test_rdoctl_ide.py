"""Tests for `rdoctl ide`: what it writes, and what it leaves alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from rdo.util import jsonc
from tests.e2e.project import Project, local_project

EDITORS = {
    "vscode": [".vscode/settings.json", ".vscode/tasks.json"],
    "jetbrains": [".run/rdo make.run.xml", ".run/rdo pytest.run.xml"],
    "emacs": [".dir-locals-2.el"],
    "vim": [".exrc"],
}

SETTINGS = '\ufeff{\r\n\t// mine\r\n\t"makefile.makePath": "/usr/bin/make", // too\r\n}\r\n'


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server, with a Makefile and tests for pytest."""
    project = local_project(tmp_path, runtime)
    (project.local / "Makefile").touch()
    (project.local / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    return project


def files(project: Project) -> dict[str, tuple[bytes, int]]:
    """Content and time of change of every file of the project."""
    paths = [path for path in project.local.rglob("*") if path.is_file()]
    return {str(path.relative_to(project.local)): (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


def ide(project: Project, arguments: str) -> tuple[str, str]:
    """The stdout and stderr of a successful `rdoctl ide`."""
    done = project.shell(f"cd src && rdoctl ide {arguments}")
    assert done.returncode == 0, done.stderr
    return done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize(("editor", "expected"), EDITORS.items(), ids=EDITORS)
def test_it_writes_the_files_of_an_editor_and_a_second_run_changes_nothing(
    project: Project, editor: str, expected: list[str]
) -> None:
    before = files(project)
    said, _ = ide(project, editor)
    written = files(project)
    assert sorted(path for path in written.keys() - before.keys() if not path.startswith(".rdo/")) == expected
    *lines, last = said.splitlines()
    assert sorted(lines) == [f"wrote {path}" for path in expected]
    assert last == "wrote .rdo/bin: make, python, pytest"
    said, _ = ide(project, editor)
    assert sorted(said.splitlines()) == [f"unchanged: {path}" for path in expected]
    assert files(project) == written


@pytest.mark.parametrize("editor", EDITORS)
def test_it_can_print_instead_of_writing(project: Project, editor: str) -> None:
    before = files(project)
    shown, _ = ide(project, f"{editor} --print mypy")
    assert files(project) == before
    ide(project, f"{editor} mypy")
    for path in {path for path in files(project).keys() - before.keys() if not path.startswith(".rdo/")}:
        assert f"==> {path} <==\n{(project.local / path).read_text()}" in shown


def test_it_writes_the_shims_that_are_missing_and_no_others(project: Project) -> None:
    assert project.shell("rdoctl shim add -p default make").returncode == 0
    made = files(project)[".rdo/bin/make"]
    assert ide(project, "vim make eslint jest")[0].splitlines()[-1] == "wrote .rdo/bin: npx"
    assert files(project)[".rdo/bin/make"] == made
    assert os.access(project.local / ".rdo/bin/npx", os.X_OK)
    assert "bin" not in ide(project, "vim make eslint jest")[0]


def test_existing_settings_keep_comments_line_ends_and_mode(project: Project) -> None:
    path = project.local / ".vscode/settings.json"
    path.parent.mkdir()
    path.write_text(SETTINGS, newline="")
    path.chmod(0o640)
    said, remarks = ide(project, "vscode make mypy")
    assert "wrote .vscode/settings.json" in said
    assert "left alone: `makefile.makePath` in .vscode/settings.json; `--force` replaces it" in remarks
    text = path.read_bytes().decode()
    assert text.startswith(SETTINGS.removesuffix("}\r\n"))
    assert text.count("\n") == text.count("\r\n")
    assert jsonc.loads(text)["mypy-type-checker.path"] == ["${workspaceFolder}/.rdo/bin/mypy"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert ide(project, "vscode --force make mypy")[1].count("left alone") == 0
    assert b"/usr/bin/make" not in path.read_bytes()


@pytest.mark.parametrize(
    ("prepare", "arguments", "line"),
    [
        pytest.param("rm Makefile pyproject.toml", "vim", "no tools were found: ", id="no tool"),
        pytest.param("rm .rdo.conf", "vim make", "no `.rdo.conf` in ", id="no project"),
        pytest.param("", "jetbrains --tools", "no JetBrains IDE was found: ", id="no IDE"),
        pytest.param(
            "mkdir .vscode; echo '{' >.vscode/tasks.json", "vscode",
            "cannot add to `.vscode/tasks.json`: line 2: expected a name in double quotes; ", id="no JSON",
        ),
        pytest.param(r"printf '\377' >.exrc", "vim", "cannot read ", id="not UTF-8"),
        pytest.param("ln -s ../elsewhere .vscode", "vscode", "`.vscode/tasks.json` leads out of", id="link"),
        pytest.param("mkdir .exrc", "vim", "cannot use `", id="a directory in its place"),
    ],
)  # fmt: skip
def test_a_failure_is_one_line_and_changes_nothing(project: Project, prepare: str, arguments: str, line: str) -> None:
    (project.local.parent / "elsewhere").mkdir()
    project.shell(prepare)
    before = files(project)
    done = project.shell(f"rdoctl ide {arguments}")
    assert (done.returncode, done.stdout) == (255, b"")
    assert done.stderr.decode().startswith(f"rdoctl: {line}")
    assert done.stderr.count(b"\n") == 1
    assert files(project) == before
    assert os.listdir(project.local.parent / "elsewhere") == []


def test_an_invalid_name_of_a_tool_is_a_usage_error(project: Project) -> None:
    before = files(project)
    done = project.shell("rdoctl ide vim ../x")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith("rdoctl: `../x` is not a valid tool name: ")
    assert files(project) == before


def test_a_link_within_the_project_is_kept(project: Project) -> None:
    (project.local / "editor").mkdir()
    (project.local / ".vscode").symlink_to("editor")
    ide(project, "vscode make")
    assert sorted(os.listdir(project.local / "editor")) == ["settings.json", "tasks.json"]
    assert (project.local / ".vscode").is_symlink()


def test_external_tools_are_added_to_every_ide_of_the_user(project: Project) -> None:
    home = Path(project.environment["HOME"], ".config/JetBrains")
    for name in ("PyCharm2024.3/options", "CLion2025.1/options", "consentOptions"):
        (home / name).mkdir(parents=True)
    ide(project, "jetbrains --tools make")
    for name in ("PyCharm2024.3", "CLion2025.1"):
        assert '<tool name="make"' in (home / name / "tools/rdo.xml").read_text()
    assert not (home / "consentOptions/tools").exists()
    assert not (project.local / ".run").exists()


def test_if_no_file_suggests_a_tool_existing_shims_are_used(project: Project) -> None:
    project.shell("rm Makefile pyproject.toml; rdoctl shim add gcc")
    ide(project, "vscode")
    assert b"/.rdo/bin/gcc" in files(project)[".vscode/tasks.json"][0]
