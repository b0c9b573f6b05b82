"""An ssh configuration read without an ssh program, and what the first command does not wait for because of that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rdo import drivers
from rdo.config import load
from rdo.drivers.ssh import SshDriver
from tests.unit.test_hot_path import BOUND

PROGRAM = """
import sys
from rdo.drivers import ssh_connection
print(*sys.modules)
from rdo.drivers.openssh import Request
from rdo.drivers.ssh_config import lines
print(*lines(Request("box", ssh_config=sys.argv[1]), {"SHELL": "/bin/sh", "HERE": "yes"}), sep="\\n")
"""


def test_match_exec_is_obeyed_though_the_ssh_driver_does_not_load_what_paramiko_runs_it_with(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(
        'Match exec "test $HERE = yes"\n  Port 2201\n'
        "Match exec false\n  User nobody\n"
        "Match exec /no/such/program\n  User somebody\n"
    )
    argv = [sys.executable, "-c", PROGRAM, str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=BOUND)
    loaded, *lines = done.stdout.splitlines()
    assert "paramiko.transport" in loaded.split()
    assert {"asyncio", "unittest", "invoke.context"}.isdisjoint(loaded.split())
    assert "port 2201" in lines
    assert not [line for line in lines if line.startswith("user ")]


def test_a_driver_can_be_made_again_after_a_configuration_was_read_without_an_ssh_program(tmp_path: Path) -> None:
    (tmp_path / ".rdo.conf").write_text('driver = "ssh"\nhost = "box"\ndirectory = "/"\n')
    config = load(str(tmp_path / ".rdo.conf"), None, None)
    for _ in range(2):
        made = drivers.create(config)
        assert isinstance(made, SshDriver)
        assert made.ssh_options({"HOME": str(tmp_path), "PATH": str(tmp_path)}).hostname == "box"
