"""Tests for which interpreter replaces the native client: the one named in rdo-client, or the environment's own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.test_launcher import ECHO, QUOTED, write
from tests.native.clients import NATIVE, TIMEOUT


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    directory = tmp_path / "a prefix" / "bin"
    directory.mkdir(parents=True)
    shutil.copy(NATIVE[0], directory / "rdo")
    return directory


def handed_over(programs: Path) -> list[str]:
    """The program that `rdo --help "a b"` has become, and its arguments."""
    command = [str(programs / "rdo"), "--help", "a b"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    return done.stdout.splitlines()


def expected(programs: Path) -> list[str]:
    return ["python3", "-I", "-X", "utf8", "-X", "rdo=rdo", str(programs / "rdo-client"), "--help", "a b"]


@pytest.mark.parametrize("head", QUOTED.values(), ids=QUOTED)
def test_it_is_the_interpreter_in_the_first_line(programs: Path, head: str) -> None:
    write(programs / "python3", ECHO)
    write(programs / "rdo-client", head.format(python=programs / "python3"))
    assert handed_over(programs) == expected(programs)


@pytest.mark.parametrize("gone", [False, True])
def test_in_a_virtual_environment_that_was_moved_or_copied_it_is_its_own(programs: Path, gone: bool) -> None:
    (programs.parent / "pyvenv.cfg").touch()
    write(programs / "python3", ECHO)
    first = programs.parent / "python3"
    if not gone:
        write(first, "#!/bin/sh\necho another\n")
    write(programs / "rdo-client", f"#!{first}\n")
    assert handed_over(programs) == expected(programs)


def test_a_program_that_an_installer_starts_otherwise_is_run_directly(programs: Path) -> None:
    write(programs / "rdo-client", ECHO.replace("/bin/sh", "/usr/bin/env sh"))
    assert handed_over(programs) == ["rdo-client", "--help", "a b"]
