"""Checks that nothing in the caller's environment or directory affects rdo's own Python."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.masters import stop
from tests.e2e.project import Project, local_project

MODULES = ("re", "queue", "socket", "json", "click", "paramiko", "rdo", "sitecustomize", "usercustomize", "encodings")

LINES = ("rdo true", "rdo-rsh '' true", "rdoctl status")
"""Each program in its turn, the first of which starts the master."""


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    return local_project(tmp_path, runtime)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        pytest.param("PYTHONPATH", "", id="an empty PYTHONPATH"),
        pytest.param("PYTHONPATH", ":/nowhere", id="an empty entry"),
        pytest.param("PYTHONPATH", ".", id="a relative entry"),
        pytest.param("PYTHONPATH", "{here}", id="a directory"),
        pytest.param("PYTHONHOME", "{here}", id="PYTHONHOME"),
        pytest.param("PYTHONSTARTUP", "{here}/re.py", id="PYTHONSTARTUP"),
        pytest.param("PYTHONUSERBASE", "{here}", id="PYTHONUSERBASE"),
        pytest.param("PYTHONINSPECT", "1", id="PYTHONINSPECT"),
        pytest.param("PYTHONVERBOSE", "1", id="PYTHONVERBOSE"),
        pytest.param("PYTHONWARNINGS", "error", id="PYTHONWARNINGS"),
        pytest.param("PYTHONUTF8", "nonsense", id="PYTHONUTF8"),
        pytest.param("PYTHONIOENCODING", "nonsense", id="PYTHONIOENCODING"),
        pytest.param("PYTHONMALLOC", "nonsense", id="PYTHONMALLOC"),
        pytest.param("PYTHONPLATLIBDIR", "nowhere", id="PYTHONPLATLIBDIR"),
        pytest.param("PYTHONBREAKPOINT", "queue", id="PYTHONBREAKPOINT"),
        pytest.param("PYTHONEXECUTABLE", "./python", id="PYTHONEXECUTABLE"),
        pytest.param("__PYVENV_LAUNCHER__", "{here}/python", id="another venv's launcher"),
    ],
)
def test_no_module_and_no_setting_of_the_caller_is_used(
    project: Project, tmp_path: Path, variable: str, value: str
) -> None:
    loaded = tmp_path / "loaded"
    for name in MODULES:
        (project.local / f"{name}.py").write_text(f"open({str(loaded)!r}, 'a').write(__name__ + '\\n')\n")
    for line in LINES:
        found = project.shell(f"export {variable}='{value.format(here=project.local)}'; exec {line}")
        assert not loaded.exists(), (line, loaded.read_text())
        assert (line, found.returncode, found.stderr) == (line, 0, b"")


def test_the_callers_variable_still_reaches_a_command_that_requests_it(project: Project) -> None:
    found = project.run("-e", "PYTHONPATH", "printenv", "PYTHONPATH", env={"PYTHONPATH": "a:b"})
    assert found.stdout == b"a:b\n"


def test_a_master_is_isolated_too(project: Project, tmp_path: Path) -> None:
    loaded = tmp_path / "loaded"
    evil = tmp_path / "evil"
    evil.mkdir()
    for name in MODULES:
        (evil / f"{name}.py").write_text(f"open({str(loaded)!r}, 'a').write(__name__ + '\\n')\n")
    assert project.run("true", env={"PYTHONPATH": str(evil), "PYTHONDEVMODE": "1"}).stderr == b""
    assert project.run("-m", "echo", os.fspath(project.remote)).stdout.decode() == f"{project.local}\n"
    stop(project)
    assert not loaded.exists()
