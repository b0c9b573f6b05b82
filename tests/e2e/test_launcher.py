"""Tests for the program `rdo`: a few lines of sh that start the client without unnecessary imports of Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.project import TIMEOUT, Project, local_project

TOP = Path(__file__).parents[2]

ECHO = '#!/bin/sh\nprintf "%s\\n" "${0##*/}" "$@"\n'
"""A fake program that prints its name and its arguments."""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package. Those of other tests are links to its files."""
    return Path(shutil.copytree(TOP / "rdo", tmp_path_factory.mktemp("package") / "rdo"))


@pytest.fixture
def prefix(tmp_path: Path, package: Path) -> Path:
    """An installation: the programs, and the package where Python finds it."""
    directory = tmp_path / "a prefix"
    packages = directory / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    shutil.copytree(package, packages / "rdo", copy_function=os.link)
    (directory / "bin").mkdir()
    shutil.copy(TOP / "bin" / "rdo", directory / "bin")
    write(directory / "bin" / "rdo-client", (TOP / "bin" / "rdo-client").read_text(), sys.executable)
    return directory


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    return local_project(tmp_path, runtime)


def write(path: Path, text: str, interpreter: str = "") -> None:
    """Write a program with an interpreter in its first line, as installers do."""
    path.write_text(text.replace("#!python", f"#!{interpreter}", 1))
    path.chmod(0o755)


def run(project: Project, *words: str | os.PathLike[str], **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**project.environment, **variables}
    return subprocess.run(
        words,
        cwd=project.local,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )


def test_a_warm_command_loads_no_slow_module(project: Project, prefix: Path) -> None:
    assert run(project, prefix / "bin" / "rdo", "true").returncode == 0
    program = prefix / "bin" / "rdo-client"
    done = run(project, sys.executable, "-I", "-X", "utf8", "-X", "importtime", program, "echo", "x")
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.stdout == "x\n"
    assert "rdo.client.run" in loaded
    assert loaded.isdisjoint({"argparse", "dataclasses", "enum", "inspect", "re", "socket", "threading", "typing"})


def test_no_program_beside_the_client_is_imported_as_a_module(prefix: Path, project: Project) -> None:
    (prefix / "bin" / "rdo.py").write_text("raise SystemExit('mine')")
    done = run(project, prefix / "bin" / "rdo", "echo", "x")
    assert (done.stdout, done.stderr) == ("x\n", "")


QUOTED = {
    "a path": "#!{python}\n",
    "pip's for a path with a space": "#!/bin/sh\n'''exec' \"{python}\" \"$0\" \"$@\"\n' '''\n",
    "pip's for a long path": "#!/bin/sh\n'''exec' {python} \"$0\" \"$@\"\n' '''\n",
    "that of our Makefile": "#!/bin/sh\n'''exec' '{python}' \"$0\" \"$@\"\n' '''\n",
}


@pytest.mark.parametrize("head", QUOTED.values(), ids=QUOTED)
@pytest.mark.parametrize("program", ["rdo", "rdoctl", "rdo-rsh"])
def test_the_client_runs_isolated_with_the_interpreter_in_its_first_line(
    prefix: Path, project: Project, head: str, program: str
) -> None:
    python = prefix / "bin" / "python3"
    write(python, ECHO)
    client = prefix / "bin" / "rdo-client"
    write(client, head.format(python=python))
    shutil.copy(TOP / "bin" / program, prefix / "bin")
    done = run(project, prefix / "bin" / program, "-v", "a b", "")
    options = ["-I", "-X", "utf8", "-X", f"rdo={program}"]
    assert done.stdout.splitlines() == ["python3", *options, str(client), "-v", "a b", ""]


@pytest.mark.parametrize("program", ["rdoctl", "rdo-rsh"])
def test_there_is_one_launcher_with_three_names(program: str) -> None:
    assert os.readlink(TOP / "bin" / program) == "rdo"


@pytest.mark.parametrize(
    ("links", "program"),
    [
        pytest.param(["rdoctl"], "rdoctl", id="as in the repository"),
        pytest.param(["rdo-rsh"], "rdo-rsh", id="another name"),
        pytest.param(["remote", "rdoctl"], "rdoctl", id="a link of the user's own to a link"),
        pytest.param(["remote"], "rdo", id="a link of the user's own"),
    ],
)
def test_the_launcher_depends_on_the_name_by_which_it_is_called(
    prefix: Path, project: Project, links: list[str], program: str
) -> None:
    python = prefix / "bin" / "python3"
    write(python, ECHO)
    write(prefix / "bin" / "rdo-client", f"#!{python}\n")
    for link, target in zip(links, [*links[1:], "rdo"], strict=True):
        (prefix / "bin" / link).symlink_to(target)
    assert f"rdo={program}" in run(project, prefix / "bin" / links[0]).stdout.splitlines()


@pytest.mark.parametrize("name", ["client", "link", "name", "options", "program", "python", "second"])
def test_no_variable_of_the_caller_is_changed(prefix: Path, project: Project, name: str) -> None:
    done = run(project, prefix / "bin" / "rdo", "-e", name, "sh", "-c", f"echo ${name}", **{name: "the caller's"})
    assert done.stdout == "the caller's\n"


def test_a_client_that_is_started_without_a_launcher_isolates_itself(
    prefix: Path, project: Project, tmp_path: Path
) -> None:
    (tmp_path / "queue.py").write_text("raise SystemExit('mine')")
    done = run(project, prefix / "bin" / "rdo-client", "echo", "a b", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "a b\n", "")


@pytest.mark.parametrize("line", ["#!/bin/sh", "#!/usr/bin/env sh", "#!/bin/sh -e"])
def test_a_client_that_an_installer_starts_otherwise_is_run_directly(prefix: Path, project: Project, line: str) -> None:
    write(prefix / "bin" / "rdo-client", ECHO.replace("#!/bin/sh", line))
    assert run(project, prefix / "bin" / "rdo", "a b").stdout.splitlines() == ["rdo-client", "a b"]


def test_a_missing_interpreter_of_the_client_is_reported_by_the_system(prefix: Path, project: Project) -> None:
    write(prefix / "bin" / "rdo-client", "#!python\n", "/nowhere/bin/python3")
    done = run(project, prefix / "bin" / "rdo", "true")
    assert (done.returncode, done.stderr.count("\n")) == (127, 1)


def test_a_virtual_environment_that_was_moved_is_run_by_its_own_interpreter(prefix: Path, project: Project) -> None:
    (prefix / "pyvenv.cfg").touch()
    write(prefix / "bin" / "python3", ECHO)
    write(prefix / "bin" / "rdo-client", "#!python\n", "/before/it/was/moved/python3")
    assert run(project, prefix / "bin" / "rdo", "x").stdout.splitlines()[0] == "python3"


@pytest.mark.parametrize("relative", [False, True])
def test_links_to_it_work(prefix: Path, project: Project, tmp_path: Path, relative: bool) -> None:
    (tmp_path / "links").mkdir()
    first, second = tmp_path / "links" / "one", tmp_path / "links" / "rdo"
    first.symlink_to(os.path.relpath(prefix / "bin" / "rdo", first.parent) if relative else prefix / "bin" / "rdo")
    second.symlink_to("one" if relative else first)
    done = run(project, "rdo", "echo", "x", PATH=f"{second.parent}:/usr/bin:/bin")
    assert (done.stdout, done.stderr) == ("x\n", "")


def test_a_copy_without_its_client_reports_what_to_do(project: Project, tmp_path: Path) -> None:
    copy = Path(shutil.copy(TOP / "bin" / "rdo", tmp_path))
    done = run(project, copy, "true")
    assert done.returncode == 255
    assert done.stderr == (
        f"rdo: cannot read `{tmp_path}/rdo-client`; reinstall rdo; symlink it instead of copying it\n"
    )


def test_a_package_elsewhere_is_found_as_by_python(prefix: Path, project: Project) -> None:
    (prefix / "lib").rename(prefix / "gone")
    done = run(project, prefix / "bin" / "rdo", "echo", "x")
    assert (done.stdout, done.stderr) == ("x\n", "")


@pytest.mark.parametrize("name", ["PYTHONNOUSERSITE", "PYTHONSAFEPATH", "PYTHONDONTWRITEBYTECODE"])
def test_pythons_own_variables_have_no_effect(prefix: Path, project: Project, name: str) -> None:
    assert run(project, prefix / "bin" / "rdo", "echo", "x", **{name: "1"}).stdout == "x\n"
