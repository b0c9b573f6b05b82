"""Files that are copied to a real Vagrant machine that has no synced folder, or one of type rsync."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.project import Project, vagrant_project
from tests.e2e.synced import Synced, prepared
from tests.vagrant_machine import NETWORK, VagrantHost, vagrantfile

pytestmark = pytest.mark.long

FOLDERS = {
    "none": ('config.vm.synced_folder ".", "/vagrant", disabled: true',),
    "rsync": (
        'config.vm.synced_folder ".", "/vagrant", disabled: true',
        'config.vm.synced_folder ".", "/home/vagrant/app", type: "rsync"',
    ),
}

NEEDED = re.compile(r"=> (/\S*/lib(?:acl|popt|lz4|zstd|xxhash)\S*)")
"""Libraries of rsync that a small Debian may lack."""


def with_rsync() -> str:
    """A line that gives a machine this one's rsync, since it has no network to install it over."""
    program = shutil.which("rsync")
    if program is None:
        require("rsync", "it is not installed")
    libraries = NEEDED.findall(subprocess.check_output(["ldd", program], text=True))
    mounts = "".join(f', "--volume", "{os.path.realpath(path)}:{path}:ro"' for path in (program, *libraries))
    return f'config.vm.provider("docker") {{ |docker| docker.create_args = ["--network", "{NETWORK}"{mounts}] }}'


@pytest.fixture(scope="module", params=FOLDERS)
def shared(
    request: pytest.FixtureRequest, vagrant_host: VagrantHost, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """The directory of a project whose machine is up."""
    directory = tmp_path_factory.mktemp("vagrant") / "my project"
    directory.mkdir()
    vagrant_host.add(directory, vagrantfile(*FOLDERS[request.param], with_rsync()))
    vagrant_host.run(directory, "up")
    yield request.param, directory
    vagrant_host.destroy(directory)


@pytest.fixture
def synced(shared: tuple[str, Path], runtime: dict[str, str], vagrant_host: VagrantHost) -> Synced:
    folder, directory = shared
    made = Project(directory, Path("/home/vagrant/app"), vagrant_project(directory, runtime, vagrant_host).environment)
    made.configure('driver = "vagrant"\n' + ('directory = "/home/vagrant/app"\n' if folder == "none" else ""))
    return prepared(made)


def test_what_is_written_is_there_and_what_is_made_comes_back(synced: Synced) -> None:
    synced.configure('pull = ["dist/**"]\nexclude = [".vagrant/"]\n')
    for number in range(3):
        (synced.here / "a").write_text(f"{number}")
        assert synced.sh("mkdir -p dist; cp a dist/b; pwd; cat a").split() == ["/home/vagrant/app", f"{number}"]
        assert (synced.here / "dist" / "b").read_text() == f"{number}"
    (synced.here / "a").unlink()
    assert synced.run("cat", "a").returncode == 1
    assert synced.sh("rm -r /home/vagrant/app/* /home/vagrant/app/.rdo-sync; ls -A")
    (synced.here / "b").write_text("2")
    assert synced.ok("cat", "b") == "2"
    shutil.rmtree(synced.here / "dist", ignore_errors=True)
