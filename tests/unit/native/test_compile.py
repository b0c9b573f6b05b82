"""Tests for how the client in C is compiled, and how a failure of that is reported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import rdo
from native import compile as compiling
from tests.conftest import require


def test_the_program_gets_the_version_of_the_package() -> None:
    assert compiling.definitions("") == [f'-DRDO_VERSION="{rdo.__version__}"']


@pytest.mark.parametrize(
    ("text", "spelled"), [("a b", '"a b"'), ('"\\', '"\\"\\\\"'), ("??/", '"\\?\\?/"'), ("é", '"é"')]
)
def test_a_path_is_written_as_a_c_string(text: str, spelled: str) -> None:
    assert compiling.quoted(text) == spelled


@pytest.mark.parametrize("directory", ["a b", 'q"u\\o', "tri??/graph", "é"])
def test_a_checkout_may_have_any_path(tmp_path: Path, directory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the definitions are checked, because it does not matter what is compiled there."""
    try:
        subprocess.run(["cc", "--version"], capture_output=True, check=True)
    except OSError:
        require("cc", "there is no compiler")
    source = "#include <stdio.h>\nint main(void) { puts(RDO_PACKAGE); return 0; }\n"
    (tmp_path / "main.c").write_text(source)
    monkeypatch.setattr(compiling, "HERE", tmp_path)
    compiling.compile_client(tmp_path / "made", f"/{directory}")
    assert subprocess.run([tmp_path / "made"], capture_output=True, check=True).stdout.decode() == f"/{directory}\n"


@pytest.mark.parametrize(
    ("compiler", "said"),
    [
        ("/nowhere/cc", "no C compiler was found: `/nowhere/cc`: no such file or directory"),
        ("sh -c 'seq 5 >&2; exit 3'", "the C compiler `sh` failed: 3; 4; 5"),
    ],
)
def test_a_failure_is_one_line_and_leaves_nothing(tmp_path: Path, compiler: str, said: str) -> None:
    command = [sys.executable, str(compiling.HERE / "compile.py"), str(tmp_path / "made")]
    done = subprocess.run(command, env={"CC": compiler, "PATH": "/usr/bin:/bin"}, capture_output=True, check=False)
    assert (done.returncode, done.stderr.decode()) == (1, said + "\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("linker", "tried"),
    [(None, ["-static-pie", ""]), ("", [""]), ("-s", ["-s"])],
    ids=["a system without a static libc", "none of LDFLAGS", "LDFLAGS"],
)
def test_the_program_is_static_if_possible(tmp_path: Path, linker: str | None, tried: list[str]) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text(
        '#!/bin/sh\ncase $* in *-static-pie*) how=-static-pie ;; *" -s "*) how=-s ;; *) how= ;; esac\n'
        'echo "$how" >>"$0.log"\nfor last; do :; done\n[ "$how" = -static-pie ] || : >"$last"\n'
        '[ "$how" != -static-pie ]\n'
    )
    compiler.chmod(0o755)
    variables = {"CC": str(compiler), "PATH": "/usr/bin:/bin", **({} if linker is None else {"LDFLAGS": linker})}
    command = [sys.executable, str(compiling.HERE / "compile.py"), str(tmp_path / "made")]
    subprocess.run(command, env=variables, check=True)
    assert (tmp_path / "cc.log").read_text().splitlines() == tried
    assert (tmp_path / "made").exists()
