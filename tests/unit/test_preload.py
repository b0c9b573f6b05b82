"""What a control master loads of itself before an upgrade in place can come between."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rdo import preload

LOAD = """
import sys
from rdo import preload
preload.load_rest(sys.argv[1])
print(*sorted(sys.modules))
"""

SHARED = {"rdo.mapped_output", "rdo.session", "rdo.target", "rdo.trust_prompt", "rdo.whole_file"}


@pytest.mark.parametrize(("driver", "loaded", "left"), [
    ("local", {"rdo.drivers.local"}, {"paramiko", "requests", "rdo.drivers.docker", "rdo.drivers.vagrant"}),
    ("docker", {"rdo.drivers.docker_fresh", "rdo.drivers.docker_pull"}, {"paramiko", "rdo.drivers.vagrant"}),
    ("ssh", {"paramiko", "rdo.drivers.agent_forward", "rdo.drivers.krl"}, {"rdo.drivers.docker"}),
    ("vagrant", {"paramiko", "rdo.drivers.vagrant_program"}, {"rdo.drivers.docker"}),
])  # fmt: skip
def test_all_that_a_master_may_need_is_loaded_and_no_other_driver_s_library(
    driver: str, loaded: set[str], left: set[str]
) -> None:
    done = subprocess.run([sys.executable, "-c", LOAD, driver], capture_output=True, text=True, check=True)
    names = set(done.stdout.split())
    assert done.stderr == "", "a module that cannot be loaded"
    assert names >= loaded | SHARED
    assert not names & (left | {"click", "rich", "rdo.cli"})


@pytest.mark.parametrize(("module", "driver"), [
    ("docker_wire", "docker"), ("vagrant_way", "vagrant"), ("local_start", "local"), ("krl", "ssh"),
])  # fmt: skip
def test_a_module_belongs_to_the_driver_after_which_it_is_named(module: str, driver: str) -> None:
    assert preload.family(module) == driver
