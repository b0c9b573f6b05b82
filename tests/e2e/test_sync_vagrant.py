"""Tests for copying files to a real Vagrant machine without a shared folder of the project, or with one of type
rsync.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.project import Project, vagrant_project
from tests.e2e.synced import Synced, prepared
from tests.vagrant_machine import NETWORK, VagrantHost, kept, vagrantfile

pytestmark = pytest.mark.long

CONFIG = (
    "config.ssh.insert_key = false",
    'config.vm.synced_folder ".", "/vagrant", disabled: true',
    'config.vm.synced_folder ".", "/home/vagrant/app", type: "rsync"',
)

NEEDED = re.compile(r"=> (/\S*/lib(?:acl|popt|lz4|zstd|xxhash)\S*)")
"""Libraries of rsync that a small Debian may lack."""


def with_rsync() -> str:
    """A line that copies rsync from this machine into the box, which has no network to install it from."""
    program = shutil.which("rsync")
    if program is None:
        require("rsync", "it is not installed")
    libraries = NEEDED.findall(subprocess.check_output(["ldd", program], text=True))
    mounts = "".join(f', "--volume", "{os.path.realpath(path)}:{path}:ro"' for path in (program, *libraries))
    return f'config.vm.provider("docker") {{ |docker| docker.create_args = ["--network", "{NETWORK}"{mounts}] }}'


@pytest.fixture(scope="module")
def directory(vagrant_host: VagrantHost, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a project whose machine is up."""
    directory = tmp_path_factory.mktemp("vagrant") / "my project"
    directory.mkdir()
    vagrant_host.add(directory, vagrantfile(*CONFIG, with_rsync()))
    vagrant_host.run(directory, "up")
    return directory


@pytest.fixture(params=["in no synced folder", "in one of type rsync"])
def synced(
    request: pytest.FixtureRequest, directory: Path, tmp_path: Path, lent: dict[str, str], vagrant_host: VagrantHost
) -> Synced:
    """The project of that directory, or another one that uses its machine."""
    environment, there = {**lent, **kept(directory)}, Path("/home/vagrant/app")
    if request.param == "in one of type rsync":
        project = vagrant_project(directory, environment, vagrant_host)
    else:
        there = Path("/home/vagrant/other")
        environment["VAGRANT_CWD"] = str(directory)
        project = vagrant_project(tmp_path / "my project", environment, vagrant_host, f'directory = "{there}"\n')
    return prepared(Project(project.local, there, project.environment))


def test_local_changes_are_pushed_and_results_are_pulled(synced: Synced) -> None:
    synced.configure('pull = ["dist/**"]\nexclude = [".vagrant/"]\n')
    for number in range(3):
        (synced.here / "a").write_text(f"{number}")
        assert synced.sh("mkdir -p dist; cp a dist/b; pwd; cat a").split() == [str(synced.there), f"{number}"]
        assert (synced.here / "dist" / "b").read_text() == f"{number}"
    (synced.here / "a").unlink()
    assert synced.run("cat", "a").returncode == 1
    assert synced.sh("rm -r ./* .rdo-sync; ls -A")
    (synced.here / "b").write_text("2")
    assert synced.ok("cat", "b") == "2"
    shutil.rmtree(synced.here / "dist", ignore_errors=True)
