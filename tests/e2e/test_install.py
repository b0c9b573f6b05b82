"""Tests for installing rdo: with a C compiler and without, in any directory, moved, copied or upgraded."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.installed import build, install, using
from tests.e2e.masters import masters
from tests.e2e.project import Project, local_project
from tests.leaks import wait_until

pytestmark = pytest.mark.long

TIMEOUT = 20.0
"""Seconds, against hangs."""

NO_COMPILER = "/nowhere/cc"

Made = Callable[[str], Path]
"""Creates it with the given client."""


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for what is created once for all processes of xdist."""
    if shutil.which("cc") is None:
        require("cc", "there is no compiler")
    base = tmp_path_factory.getbasetemp()
    directory = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "wheels"
    directory.mkdir(exist_ok=True)
    return directory


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Allow one process at a time."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def wheels(directory: Path) -> Made:
    """The wheel with the client in C, or with the one in Python."""

    def wheel(client: str) -> Path:
        with locked(directory / f"{client}.lock"):
            if not (directory / client).exists():
                build(directory / f"new {client}", CC="cc" if client == "native" else NO_COMPILER)
                (directory / f"new {client}").rename(directory / client)
        (made,) = (directory / client).iterdir()
        return made

    return wheel


@pytest.fixture(scope="session")
def installed(directory: Path, wheels: Made) -> Made:
    """An environment with that client, for tests that do not change it."""

    def environment(client: str) -> Path:
        wheel, made = wheels(client), directory / f"{client}-env"
        with locked(directory / f"{client}-env.lock"):
            if not (made / "is whole").exists():
                install(wheel, made)
                (made / "is whole").touch()
        return made

    return environment


@pytest.fixture
def copied(installed: Made, tmp_path: Path) -> Made:
    """A copy of it, for tests that change it: see the test of a copy. To install takes pip a second each time."""
    return lambda client: Path(shutil.copytree(installed(client), tmp_path / "env", symlinks=True))


@pytest.fixture(params=["native", "python"])
def client(request: pytest.FixtureRequest) -> str:
    """Each of both in its turn."""
    return str(request.param)


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    return local_project(tmp_path, runtime)


def works(project: Project, environment: Path) -> None:
    """Check that all three programs run, first with a new master, and that the master belongs to this environment."""
    here = using(project, environment)
    for _ in range(2):
        done = here.run("printf", "%s", "a b")
        assert (done.returncode, done.stdout, done.stderr) == (0, b"a b", b"")
    assert here.shell("rdo-rsh local echo x").stdout == b"x\n"
    assert str(project.local).encode() in here.shell("rdoctl status").stdout
    (package,) = environment.resolve().glob("lib/python3*/site-packages")
    assert any(str(package) in command for command in map(command_line, masters(project)))


def command_line(pid: int) -> str:
    return subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=True
    ).stdout


def test_a_wheel_with_a_compiled_client_is_only_for_its_platform(wheels: Made) -> None:
    assert wheels("python").name.endswith("-py3-none-any.whl")
    assert not wheels("native").name.endswith("-any.whl")
    assert "-py3-none-" in wheels("native").name


@pytest.mark.parametrize("name", ["an env", "e" * 140])  # and a usual one: see the test of `python -m rdo`
def test_an_environment_may_have_any_path(
    wheels: Made, client: str, project: Project, tmp_path: Path, name: str
) -> None:
    works(project, install(wheels(client), tmp_path / name))


def test_with_a_compiled_client_a_warm_command_needs_no_python(copied: Made, project: Project, tmp_path: Path) -> None:
    environment = copied("native")
    works(project, environment)
    (environment / "bin" / "rdo-client").unlink()
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "rdo"
    link.symlink_to(environment / "bin" / "rdo")  # as created by pipx
    for program in (link, environment / "bin" / "rdo"):
        command = [str(program), "echo", "x"]
        done = subprocess.run(
            command, cwd=project.local, env=project.environment, capture_output=True, timeout=TIMEOUT, check=False
        )
        assert (done.stdout, done.stderr) == (b"x\n", b"")


def test_an_environment_may_be_moved(wheels: Made, client: str, project: Project, tmp_path: Path) -> None:
    install(wheels(client), tmp_path / "env").rename(tmp_path / "moved env")
    works(project, tmp_path / "moved env")


def test_a_copied_environment_is_a_separate_installation(
    installed: Made, copied: Made, client: str, project: Project
) -> None:
    first = installed(client)
    works(project, first)
    works(project, copied(client))
    works(project, first)
    assert len(masters(project)) == 2


def test_an_upgrade_in_place_gets_a_new_master(wheels: Made, copied: Made, client: str, project: Project) -> None:
    environment = copied(client)
    works(project, environment)
    (old,) = masters(project)
    install(wheels(client), environment)
    works(project, environment)
    assert wait_until(lambda: old not in masters(project), TIMEOUT)
    assert len(masters(project)) == 1


def test_either_client_may_be_upgraded_to_the_other(wheels: Made, copied: Made, project: Project) -> None:
    environment = copied("native")
    works(project, environment)
    install(wheels("python"), environment)
    works(project, environment)
    install(wheels("native"), environment)
    works(project, environment)


def test_python_m_rdo_shares_the_master(installed: Made, project: Project, client: str) -> None:
    environment = installed(client)
    works(project, environment)
    module = [str(environment / "bin" / "python"), "-m", "rdo", "echo", "x"]
    done = subprocess.run(module, cwd=project.local, env=project.environment, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"x\n", b"")
    assert len(masters(project)) == 1


def client_of(project: Project, environment: Path) -> str:
    """The client according to `rdoctl doctor`."""
    lines = using(project, environment).shell("rdoctl doctor").stdout.decode().splitlines()
    return next(line for line in lines if " client: " in line)


def test_the_doctor_names_a_compiled_client(installed: Made, project: Project) -> None:
    environment = installed("native")
    assert client_of(project, environment) == f"ok       client: {environment}/bin/rdo, compiled"


def says_why(project: Project, environment: Path, why: str) -> None:
    """The doctor names the client in Python, and the reason for it."""
    remedy = "with a C compiler, reinstalling rdo compiles a faster one"
    assert client_of(project, environment) == f"ok       client: {environment}/bin/rdo, in Python: {why}; {remedy}"


def test_the_doctor_says_that_there_was_no_compiler(installed: Made, project: Project) -> None:
    says_why(project, installed("python"), f"no C compiler was found: `{NO_COMPILER}`: no such file or directory")


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"CC": "sh -c 'echo first >&2; echo second >&2; exit 1'"}, "the C compiler `sh` failed: first; second"),
        ({"RDO_WHEEL_PLATFORM": "any"}, "this build of rdo is for every platform"),
    ],
    ids=["one that fails", "not wanted"],
)
def test_the_doctor_reports_why_the_client_is_the_one_in_python(
    project: Project, tmp_path: Path, variables: dict[str, str], why: str
) -> None:
    says_why(project, install(build(tmp_path / "wheel", **variables), tmp_path / "env"), why)


def test_the_doctor_warns_of_another_rdo_in_path(installed: Made, project: Project, tmp_path: Path) -> None:
    environment = installed("python")
    other = tmp_path / "other" / "bin" / "rdo"
    other.parent.mkdir(parents=True)
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    there = {**project.environment, "PATH": f"{other.parent}:/usr/bin:/bin"}
    command = [str(environment / "bin" / "rdoctl"), "doctor"]
    done = subprocess.run(command, cwd=project.local, env=there, capture_output=True, text=True, check=False)
    assert (
        f"warning  client: `rdo` is {other}, not the one beside rdoctl, {environment}/bin/rdo; remove one of the two\n"
    ) in done.stdout


def test_the_doctor_names_the_directory_for_path_in_full(installed: Made, project: Project) -> None:
    environment = installed("python")
    there = {**project.environment, "PATH": "/usr/bin:/bin"}
    command = [os.path.relpath(environment / "bin" / "rdoctl", project.local), "doctor"]
    done = subprocess.run(command, cwd=project.local, env=there, capture_output=True, text=True, check=False)
    programs = environment / "bin"
    assert f"client: `rdo` is at {programs}/rdo, which is not in PATH; add `{programs}` to PATH\n" in done.stdout
