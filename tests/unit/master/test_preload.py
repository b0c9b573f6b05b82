"""Checks that a control master loads all its modules at first, because an upgrade could replace them later."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOAD = """
import sys
from rdo.master import preload
preload.load_rest(sys.argv[1:])
print(*sorted(sys.modules))
"""

SHARED = {
    "rdo.master.mapped_output",
    "rdo.master.session",
    "rdo.master.profile",
    "rdo.trust.prompt",
    "rdo.util.atomic_write",
}


@pytest.mark.parametrize(("driver", "loaded", "left"), [
    ("local", {"rdo.drivers.local.channel"}, {"paramiko", "requests", "rdo.drivers.docker", "rdo.drivers.vagrant"}),
    ("docker", {"rdo.drivers.docker.fresh", "rdo.drivers.docker.image_source"}, {"paramiko", "rdo.drivers.vagrant"}),
    ("ssh", {"paramiko", "rdo.drivers.ssh.channel_stream", "rdo.drivers.ssh.revocation"}, {"rdo.drivers.docker"}),
    ("vagrant", {"paramiko", "rdo.drivers.vagrant.command"}, {"rdo.drivers.docker"}),
])  # fmt: skip
def test_everything_that_a_master_needs_is_loaded_but_no_other_drivers_library(
    driver: str, loaded: set[str], left: set[str]
) -> None:
    done = subprocess.run([sys.executable, "-c", LOAD, driver], capture_output=True, text=True, check=True)
    names = set(done.stdout.split())
    assert done.stderr == "", "a module that cannot be loaded"
    assert names >= loaded | SHARED
    assert not names & (left | {"click", "rdo.cli"})
