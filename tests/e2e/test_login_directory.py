"""Tests for `directory = "~/src"` and `directory = "src"`, which are below the login directory on the target."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project, local_project

pytestmark = pytest.mark.usefixtures("lent")

FORMS = {"with ~": "~/{}", "relative": "{}", "slash": "~/{}/", "dots": "./{}/../{}"}


@pytest.fixture
def home(project: Project) -> Iterator[Path]:
    """A directory in the login directory of the target, which is that of this user."""
    found = project.run("--dir", ".", "sh", "-c", 'echo "$HOME"')
    path = Path(found.stdout.decode().strip(), f"rdo-test-{os.getpid()}")
    (path / "src").mkdir(parents=True)
    yield path
    (path / "src").rmdir()
    path.rmdir()


def configure(project: Project, home: Path, form: str, extra: str = "") -> None:
    directory = FORMS[form].format(home.name, home.name)
    project.configure(f'driver = "ssh"\nhost = "devbox"\ndirectory = "{directory}"\n{extra}')


@pytest.mark.parametrize("form", list(FORMS))
def test_a_command_runs_below_the_login_directory(project: Project, home: Path, form: str) -> None:
    configure(project, home, form)
    words = [f"{project.local}/x", f"--o={project.local}", "~/y"]
    result = project.run("sh", "-c", 'pwd; printf "%s\\n" "$@"', "sh", *words, cwd="src")
    assert result.stderr == b""
    pwd, path, option, literal = result.stdout.decode().splitlines()
    assert os.path.normpath(pwd) == f"{home}/src"
    assert os.path.normpath(path) == f"{home}/x"
    assert os.path.normpath(option.removeprefix("--o=")) == str(home)
    assert literal == "~/y"


def test_output_and_the_key_path_are_mapped_too(project: Project, home: Path) -> None:
    configure(project, home, "with ~", 'map_output = true\npath = ["bin"]\n')
    result = project.run("sh", "-c", f'echo "{home}/src/a.c:3: no"; echo "${{PATH%%:*}}"')
    assert result.stdout.decode() == f"{project.local}/src/a.c:3: no\n{project.local}/bin\n"


def test_a_missing_remote_directory_is_named_in_full(project: Project, home: Path) -> None:
    configure(project, home, "relative")
    (project.local / "other").mkdir()
    result = project.run("true", cwd="other")
    assert result.returncode == 255
    assert f"`{home}/other`" in result.stderr.decode()


def test_explain_shows_it_without_connecting(project: Project, home: Path) -> None:
    configure(project, home, "relative", "map_output = true\n")
    shown = project.shell("rdoctl explain ls src/x '~/y' \"$PWD/z\"").stdout.decode()
    assert f'  =  "~/{home.name}"  ' in shown
    assert f"  {project.local}  ->  ~/{home.name}\n" in shown
    assert f"  there  ~/{home.name}\n" in shown
    assert f"{project.local}/z  ->  ~/{home.name}/z" in shown
    assert "/~" not in shown.replace("'~/y'", "")


def test_on_this_machine_it_is_the_home_of_the_user(tmp_path: Path, runtime: dict[str, str]) -> None:
    project = local_project(tmp_path, runtime)
    project.configure('driver = "local"\ndirectory = "~/there"\n')
    Path(runtime["HOME"], "there").mkdir()
    assert project.run("pwd").stdout.decode() == f"{runtime['HOME']}/there\n"


def test_a_container_has_no_login_directory(tmp_path: Path, runtime: dict[str, str]) -> None:
    project = local_project(tmp_path, runtime)
    project.configure('container = "web"\ndirectory = "app"\n')
    result = project.run("true")
    assert result.returncode == 255
    assert b"`directory` is relative to the login directory, but a container has none" in result.stderr
