"""What rdo keeps of Vagrant's answers."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from rdo.drivers.vagrant.cache import VagrantCache, file_name

KEY = ["b0b", "/p/Vagrantfile", 12, 3]


@pytest.fixture
def cache(tmp_path: Path) -> VagrantCache:
    return VagrantCache({"XDG_CACHE_HOME": str(tmp_path / "cache")}, "/home/me/my project/.vagrant")


def test_an_answer_counts_while_its_key_is_the_same(cache: VagrantCache) -> None:
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


def test_two_projects_of_one_name_are_kept_apart_and_a_name_leads_nowhere_else(tmp_path: Path) -> None:
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


def test_a_lock_that_is_not_given_up_is_not_waited_for_without_end(cache: VagrantCache) -> None:
    with cache.lock("up", 0.0, lambda: None), pytest.raises(TimeoutError), cache.lock("up", 0.0, lambda: None):
        pass
