"""Tests for the wheels that `make dist` has built: each is inspected, and if possible, installed and run."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import rdo
from tests.clients import TOP
from tests.conftest import require
from tests.e2e.installed import install, using
from tests.e2e.project import TIMEOUT, Project, local_project
from tests.release.executable import Executable, read

DIST = TOP / "dist"

PLATFORMS = {
    "manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64": Executable("Linux", "x86_64"),
    "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64": Executable("Linux", "aarch64"),
    "macosx_11_0_x86_64": Executable("macOS", "x86_64", ("/usr/lib/libSystem.B.dylib",), "11.0"),
    "macosx_11_0_arm64": Executable("macOS", "arm64", ("/usr/lib/libSystem.B.dylib",), "11.0", is_signed=True),
}
"""What each has to contain. Linux programs need no library. Macs with an ARM processor run only signed programs."""


@pytest.fixture(autouse=True)
def _built() -> None:
    if not list(DIST.glob("*.tar.gz")):
        pytest.skip("`make dist` builds what is tested here")


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    return local_project(tmp_path, runtime)


def wheel(tag: str) -> Path:
    return DIST / f"rdo-{rdo.__version__}-py3-none-{tag}.whl"


def scripts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        names = [name for name in file.namelist() if ".data/scripts/" in name]
        return {name.rpartition("/")[2]: file.read(name) for name in names}


def works(project: Project, *program: str) -> None:
    """Check that a command starts a master, and that the next one uses it."""
    for word in ("cold", "a b"):
        done = subprocess.run(
            [*program, "printf", "%s", word], cwd=project.local, env=dict(project.environment), capture_output=True,
            timeout=TIMEOUT, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (0, word.encode(), b"")


def test_nothing_else_is_there() -> None:
    names = {wheel(tag).name for tag in ("any", *PLATFORMS)} | {f"rdo-{rdo.__version__}.tar.gz"}
    assert {path.name for path in DIST.iterdir()} == names


def test_the_source_distribution_has_all_that_is_needed_to_build() -> None:
    with tarfile.open(DIST / f"rdo-{rdo.__version__}.tar.gz") as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    assert {path.relative_to(TOP).as_posix() for path in (TOP / "native").glob("*.[ch]")} < names
    assert {"native/compile.py", "hatch_build.py", "bin/rdo", "bin/rdo-client"} < names
    assert not {name for name in names if name.startswith((".ci", ".venv", "dist"))}


@pytest.mark.parametrize("tag", ["any", *PLATFORMS])
def test_a_wheel_has_four_programs_and_the_same_package_as_the_others(tag: str) -> None:
    assert scripts(wheel(tag)).keys() == {"rdo", "rdo-client", "rdo-rsh", "rdoctl"}
    with zipfile.ZipFile(wheel(tag)) as file, zipfile.ZipFile(wheel("any")) as pure:
        contents = [{i.filename: i.CRC for i in f.infolist() if i.filename.startswith("rdo/")} for f in (file, pure)]
    assert contents[0] == contents[1]


@pytest.mark.parametrize("tag", PLATFORMS)
def test_the_program_is_for_its_platform_and_needs_nothing_but_the_system(tag: str) -> None:
    assert read(scripts(wheel(tag))["rdo"]) == PLATFORMS[tag]


def test_the_pure_wheel_runs(project: Project, tmp_path: Path) -> None:
    environment = install(wheel("any"), tmp_path / "env")
    works(using(project, environment), str(environment / "bin" / "rdo"))


@pytest.mark.parametrize("tag", [tag for tag in PLATFORMS if "linux" in tag])
def test_the_program_runs(project: Project, tmp_path: Path, tag: str) -> None:
    """A program for another machine runs in an emulator, in the place of the one that pip installs for this machine."""
    machine = PLATFORMS[tag].machine
    emulator = [] if machine == platform.machine() else [f"qemu-{machine}-static"]
    if sys.platform != "linux" or (emulator and shutil.which(emulator[0]) is None):
        require("qemu", "no emulator for another machine")
    environment = install(wheel("any" if emulator else tag), tmp_path / "env")
    program = environment / "bin" / "rdo"
    program.write_bytes(scripts(wheel(tag))["rdo"])
    works(using(project, environment), *emulator, str(program))
    (environment / "bin" / "rdo-client").unlink()  # so that nothing can be handed over
    works(using(project, environment), *emulator, str(program))


def test_pip_takes_the_wheel_for_this_machine(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    done = subprocess.run(
        [*command, "--no-index", "--find-links", str(DIST), "--dest", str(tmp_path), "rdo"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (chosen,) = tmp_path.iterdir()
    machine = platform.machine()
    assert any(machine in tag and tag in chosen.name for tag in PLATFORMS)
