"""Tests for rdo's files on a full disk: they remain as they were, and one line informs the user if necessary."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdo.drivers.ssh import known_hosts
from rdo.drivers.vagrant.store import VagrantCache
from rdo.errors import SetupError
from rdo.trust.request import TrustRequest
from rdo.trust.store import Store
from rdo.util import atomic_write
from tests import disk
from tests.disk import PAGE, Mount
from tests.integration.conftest import Connect
from tests.ssh_client import ScriptedCaller
from tests.sshd import Sshd


@pytest.fixture
def full(mount: Mount, tmp_path: Path) -> Path:
    """A directory on a disk that is full except for the last bytes of `known_hosts`."""
    directory = mount(tmp_path / "disk")
    (directory / "known_hosts").write_text("#" * (PAGE - 50) + "\n")
    disk.fill(directory)
    return directory


def test_a_file_is_replaced_completely_or_not_at_all(full: Path) -> None:
    before = sorted(full.iterdir())
    with pytest.raises(OSError, match="No space left"):
        atomic_write.write(str(full / "known_hosts"), "new" * PAGE)
    assert (full / "known_hosts").read_text() == "#" * (PAGE - 50) + "\n"
    assert sorted(full.iterdir()) == before


def test_no_part_of_a_host_key_is_left_behind(full: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        known_hosts.append(str(full / "known_hosts"), "host ssh-ed25519 " + "A" * 100)
    assert (full / "known_hosts").read_text() == "#" * (PAGE - 50) + "\n"


def test_a_host_key_that_cannot_be_recorded_is_reported_and_the_login_continues(
    full: Path, sshd: Sshd, connect: Connect, caller: ScriptedCaller
) -> None:
    extra = [f"UserKnownHostsFile {full}/known_hosts", "StrictHostKeyChecking accept-new"]
    connect(sshd.ssh_config(extra=extra, name="full_disk_config"))
    assert caller.told == [f"rdo: could not add the host key to {full}/known_hosts: no space left on device"]


def test_a_permission_that_cannot_be_stored_is_an_error_and_leaves_nothing(full: Path) -> None:
    (full / "filler").unlink()
    store = Store({"XDG_STATE_HOME": str(full)})
    store.add(TrustRequest("/a", "default", (("host", "one"),)))
    disk.fill(full)
    before = store.records()
    with pytest.raises(SetupError) as caught:
        store.add(TrustRequest("/a", "default", (("host", "two"),)))
    expected = f"cannot record in `{full}/rdo/allowed` what is allowed: no space left on device; "
    assert str(caught.value) == expected + "free disk space there, or set RDO_TRUST=1 for this once"
    assert store.records() == before
    assert len(list((full / "rdo" / "allowed").iterdir())) == 1


def test_an_answer_of_vagrant_that_cannot_be_kept_leaves_the_old_one(full: Path) -> None:
    (full / "filler").unlink()
    cache = VagrantCache({"XDG_CACHE_HOME": str(full)}, "/project/.vagrant")
    cache.write("ssh", ["key"], "old")
    disk.fill(full)
    with pytest.raises(OSError, match="No space left"):
        cache.write("ssh", ["key"], "new")
    assert cache.read("ssh", ["key"]) == "old"
