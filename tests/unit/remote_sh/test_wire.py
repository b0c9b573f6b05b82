"""Runs a table of requests with every shell that may be /bin/sh, all of which do the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from rdo.remote_sh.script import Script
from tests.unit.remote_sh.shells import Ended, each_shell, run_script
from tests.unit.remote_sh.terminal import GROUP, terminal

SHOW = ("sh", "-c", 'printf "%s|" "$PWD" "${A-}" "${RDO_ON_TARGET-}" "${PATH%%:*}" "$@"; cat; exit 3', "sh")

SUDO = """#!/bin/sh
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
"""
"""Runs the command as if it were that user's."""

REQUESTS = [
    pytest.param({}, ["/", "", "", "{path}"], "input", 3, id="as it is"),
    pytest.param({"has_input": False}, ["/", "", "", "{path}"], "", 3, id="no input"),
    pytest.param(
        {"directory": "/usr", "environment": {"A": "it's\n@B@ $x"}, "inside": "/srv/a b:web"},
        ["/usr", "it's\n@B@ $x", "/srv/a b:web", "{path}"],
        "input",
        3,
        id="a directory, variables and the project",
    ),
    pytest.param(
        {"path": ("/a b",), "environment": {"A": "@COMMAND@"}, "keep": True},
        ["/", "@COMMAND@", "", "/a b"],
        "input",
        3,
        id="path, and a value that looks like a place",
    ),
    pytest.param(
        {"sudo": "me:1", "directory": "/usr", "lost": "no", "environment": {"A": "@NONCE@"}},
        ["/usr", "@NONCE@", "", "{path}"],
        "input",
        3,
        id="another user",
    ),
]  # fmt: skip
"""Requests without the command; what the command finds, what it reads, and its status."""

ARGUMENTS = ["", "-n", "a b", "*", "@LOST@", "it's\n\n", "$rdo_n", "\\"]


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, str]:
    """The environment with a `sudo` that needs no privileges."""
    sudo = tmp_path / "sudo"
    sudo.write_text(SUDO)
    sudo.chmod(0o755)
    return {"PATH": f"{tmp_path}:/usr/bin:/bin"}


@each_shell
@pytest.mark.parametrize(("asked", "found", "read", "status"), REQUESTS)
def test_over_pipes(
    shell: str, asked: dict[str, object], found: Sequence[str], read: str, status: int, programs: dict[str, str]
) -> None:
    script = Script((*SHOW, *ARGUMENTS), **{"directory": "/", **asked})  # type: ignore[arg-type]
    said = [each.format(path=programs["PATH"].partition(":")[0]) for each in found]
    expected = "|".join([*said, *ARGUMENTS, read])
    assert run_script(shell, script, b"input", environ=programs) == Ended(expected.encode(), b"", status)


@each_shell
@pytest.mark.parametrize(("asked", "found", "read", "status"), REQUESTS)
def test_on_a_pty(
    shell: str, asked: dict[str, object], found: Sequence[str], read: str, status: int, programs: dict[str, str]
) -> None:
    modes = (("-onlcr",), ("-echo",))
    script = Script((*SHOW, *ARGUMENTS), modes=modes, **{"directory": "/", **asked})  # type: ignore[arg-type]
    said = [each.format(path=programs["PATH"].partition(":")[0]) for each in found]
    expected = "|".join([*said, *ARGUMENTS, "typed\n"])
    with terminal(shell, script, programs) as started:
        started.write(b"typed\n\x04")
        output, ended = started.end()
    assert (GROUP.sub(b"", output), ended) == (expected.encode(), status)
