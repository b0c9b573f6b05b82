"""Tests for what rdo stores about Vagrant machines: Vagrant's answers, and host keys by the machine's id."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from rdo.drivers.ssh.known_hosts import HostKey, append, format_line
from rdo.drivers.ssh.options import SshOptions
from rdo.drivers.vagrant.known_hosts import MachineKnownHosts, host_key_alias
from rdo.drivers.vagrant.project import VagrantMachine
from rdo.drivers.vagrant.store import VagrantCache, file_name

KEY = ["b0b", "/p/Vagrantfile", 12, 3]


@pytest.fixture
def cache(tmp_path: Path) -> VagrantCache:
    return VagrantCache({"XDG_CACHE_HOME": str(tmp_path / "cache")}, "/home/me/my project/.vagrant")


def test_an_answer_is_valid_while_its_key_is_the_same(cache: VagrantCache) -> None:
    assert cache.read("web.ssh_config", KEY) is None
    cache.write("web.ssh_config", KEY, "Host web\n  Port 2222\n")
    assert cache.read("web.ssh_config", KEY) == "Host web\n  Port 2222\n"
    assert cache.read("web.ssh_config", [*KEY[:-1], 4]) is None
    assert cache.read("db.ssh_config", KEY) is None


def test_a_later_answer_replaces_an_earlier_one(cache: VagrantCache) -> None:
    cache.write("machine", ["old"], "web")
    cache.write("machine", KEY, "db")
    assert (cache.read("machine", ["old"]), cache.read("machine", KEY)) == (None, "db")
    cache.drop("machine")
    cache.drop("machine")
    assert cache.read("machine", KEY) is None


def test_only_the_user_can_read_it(cache: VagrantCache) -> None:
    cache.write("machine", KEY, "web")
    path = Path(cache.path("machine"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_two_projects_with_the_same_name_are_kept_apart_and_no_name_leaves_the_directory(tmp_path: Path) -> None:
    assert file_name("/a/my app/.vagrant", "x") != file_name("/b/my app/.vagrant", "x")
    assert file_name("/a/my app/.vagrant", "x").startswith("my_app-")
    assert "/" not in file_name("/a/.vagrant", "../../x")


def test_without_xdg_cache_home_it_is_below_the_home_directory() -> None:
    for environment in ({"HOME": "/home/me"}, {"HOME": "/home/me", "XDG_CACHE_HOME": "relative"}):
        assert VagrantCache(environment, "/p/.vagrant").path("x").startswith("/home/me/.cache/rdo/vagrant/")


def test_an_answer_that_cannot_be_kept_leaves_no_file(cache: VagrantCache) -> None:
    Path(cache.path("machine")).mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        cache.write("machine", KEY, "web")
    assert [each.name for each in Path(cache.path("machine")).parent.iterdir()] == [Path(cache.path("machine")).name]


def test_a_lock_lets_one_in_at_a_time_and_says_who_waited(cache: VagrantCache) -> None:
    waiting = threading.Event()
    waited = []

    def second() -> None:
        with cache.lock("up", 10.0, waiting.set) as late:
            waited.append(late)

    with cache.lock("up", 0.0, waiting.set) as late:
        assert late is False
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(5.0)
        assert waited == []
    thread.join(5.0)
    assert waited == [True]


def test_the_wait_for_a_lock_that_is_not_released_is_bounded(cache: VagrantCache) -> None:
    with cache.lock("up", 0.0, lambda: None), pytest.raises(TimeoutError), cache.lock("up", 0.0, lambda: None):
        pass


MACHINE = VagrantMachine("web", "docker", "ID-1", "/p/.vagrant/machines/web/docker")
REBUILT = MACHINE._replace(id="ID-2")
HOST_KEY = HostKey("ssh-ed25519", b"\0\0\0\x0bssh-ed25519one")
UNCHECKED = SshOptions("web", "127.0.0.1", 2222, "vagrant", strict_host_key_checking="no", known_hosts=("/dev/null",))


@pytest.fixture
def known(tmp_path: Path) -> MachineKnownHosts:
    return MachineKnownHosts({"XDG_STATE_HOME": str(tmp_path)}, "/p/.vagrant", "web")


def record(known: MachineKnownHosts, machine: VagrantMachine) -> None:
    append(known.path, format_line(host_key_alias(machine), HOST_KEY, None))


def test_a_machine_that_vagrant_does_not_check_is_checked_under_its_id(known: MachineKnownHosts) -> None:
    options = known.guard(UNCHECKED, MACHINE)
    assert (options.known_as, options.known_hosts) == ("vagrant-id-1", (known.path,))
    assert options.strict_host_key_checking == "accept-new"


def test_a_check_that_the_vagrantfile_asks_for_stays_as_it_is(known: MachineKnownHosts) -> None:
    strict = UNCHECKED._replace(strict_host_key_checking="ask")
    assert known.guard(strict, MACHINE) is strict


def test_the_first_key_is_recorded_silently(known: MachineKnownHosts) -> None:
    assert known.guard(UNCHECKED, MACHINE).new_key_notice == ""


def test_a_re_created_machine_gets_a_line(known: MachineKnownHosts) -> None:
    record(known, MACHINE)
    notice = known.guard(UNCHECKED, REBUILT).new_key_notice
    assert notice == "`vagrant web` was re-created: its new host key replaces the recorded one"
    assert known.guard(UNCHECKED, MACHINE).new_key_notice == ""


def test_keys_of_earlier_machines_are_forgotten_once_the_new_one_is_known(known: MachineKnownHosts) -> None:
    record(known, MACHINE)
    known.settle(REBUILT)
    assert "vagrant-id-1 " in Path(known.path).read_text()
    record(known, REBUILT)
    known.settle(REBUILT)
    assert Path(known.path).read_text() == format_line("vagrant-id-2", HOST_KEY, None) + "\n"


def test_an_id_is_never_a_pattern() -> None:
    assert host_key_alias(MACHINE._replace(id="A b,*?!|[é]")) == "vagrant-a_b________"
