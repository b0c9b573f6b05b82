"""Tests for which settings of a repository need permission, and for how that is stored."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rdo.config.load import load
from rdo.errors import SetupError
from rdo.trust import store as trust
from rdo.trust.request import TrustRequest
from rdo.trust.store import Store, TrustStatus

BASE = 'host = "devbox"\ndirectory = "/srv/app"\n'
ANOTHER_USER = 54321
"""A uid that no user of the machine has."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """The environment of a user who has allowed nothing."""
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


def make_request(directory: Path, text: str = BASE, profile: str | None = None, **others: str) -> TrustRequest:
    """The request of a config, with these texts in the files `local` and `user`."""
    (directory / ".rdo.conf").write_text(text)
    names = {"local": ".rdo.local.conf", "user": "user.toml"}
    for name, content in others.items():
        (directory / names[name]).write_text(content)
    return trust.current_request(load(str(directory / ".rdo.conf"), profile, str(directory / "user.toml")), [])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'user = "a"\n'),
        ('user = "a"\n', 'user = "b"\n'),
        ("port = 2222\n", "port = 2223\n"),
        ("", 'identity = "~/.ssh/id"\n'),
        ("", 'jump = "gate"\n'),
        ("", "use_sudo = true\n"),
        ("", 'path = ["bin"]\n'),
        ("", "login = true\n"),
        ('env = { A = "1" }\n', 'env = { A = "2" }\n'),
        ('env = { A = "1" }\n', 'env = { B = "1" }\n'),
        ('pass_env = ["A"]\n', 'pass_env = ["A*"]\n'),
        ('pass_env = ["A", "B"]\n', 'pass_env = ["B", "A"]\n'),
    ],
)
def test_a_changed_byte_in_a_guarded_value_makes_it_another_request(tmp_path: Path, before: str, after: str) -> None:
    assert make_request(tmp_path, BASE + before).digest != make_request(tmp_path, BASE + after).digest


@pytest.mark.parametrize(
    "more", ["map_args = false\n", 'idle_timeout = "8h"\n', 'on_disconnect = "keep"\n', "# a word\n", "env = {}\n"]
)
def test_a_harmless_key_does_not_change_the_request(tmp_path: Path, more: str) -> None:
    assert make_request(tmp_path, BASE + more) == make_request(tmp_path)


def test_the_users_own_file_needs_no_permission(tmp_path: Path) -> None:
    assert make_request(tmp_path, "", user=BASE).values == ()
    assert make_request(tmp_path, "", local='user = "me"\n').values == (("user", '"me"'),)


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ('path = ["bin"]\n', (("path", '["bin"]'),)),
        ('env = { BASH_ENV = "x" }\n', (("env.BASH_ENV", '"x"'),)),
        ("login = true\n", (("login", "true"),)),
        ("local_fallback = true\n", (("local_fallback", "true"),)),
        ('env.B = "1"\nenv.C = "2"\n', (("env.B", '"1"'), ("env.C", '"2"'))),
    ],
)
def test_other_keys_that_a_repository_adds_to_the_users_target_need_permission(
    tmp_path: Path, line: str, values: object
) -> None:
    own = BASE + 'env = { A = "mine" }\npath = ["/mine"]\n'
    assert make_request(tmp_path, line, user=own).values == values
    assert make_request(tmp_path, "", local=line, user=own).values == values


def test_of_a_merged_table_only_the_repositorys_entries_need_permission(tmp_path: Path) -> None:
    own = BASE + 'env = { A = "mine", B = "mine" }\n[ci]\nenv = { C = "mine" }\n'
    made = make_request(tmp_path, 'env = { B = "theirs", C = "theirs" }\n', "ci", user=own)
    assert made.values == (("env.B", '"theirs"'),)  # C of the profile is the user's again


def test_a_repository_that_overrides_the_users_own_file_needs_permission(tmp_path: Path) -> None:
    assert ("host", '"devbox"') in make_request(tmp_path, user='host = "mine"\n').values


def test_profiles_with_the_same_request_are_allowed_together(tmp_path: Path, environment: Mapping[str, str]) -> None:
    text = BASE + "[ci]\nmap_args = false\n[other]\nuse_sudo = true\n"
    Store(environment).add(make_request(tmp_path, text))
    assert trust.status(make_request(tmp_path, text, "ci"), environment) is TrustStatus.ALLOWED
    assert trust.status(make_request(tmp_path, text, "other"), environment) is TrustStatus.UNKNOWN


def test_a_profile_is_allowed_separately(tmp_path: Path, environment: Mapping[str, str]) -> None:
    text = BASE + '["my own"]\nhost = "other"\n'
    Store(environment).add(make_request(tmp_path, text))
    assert trust.status(make_request(tmp_path, text), environment) is TrustStatus.ALLOWED
    other = make_request(tmp_path, text, "my own")
    assert trust.status(other, environment) is TrustStatus.UNKNOWN
    assert other.command == "rdoctl allow -p 'my own'"


def test_another_directory_with_the_same_text_is_another_request(
    tmp_path: Path, environment: Mapping[str, str]
) -> None:
    (tmp_path / "other").mkdir()
    Store(environment).add(make_request(tmp_path))
    assert trust.status(make_request(tmp_path / "other"), environment) is TrustStatus.UNKNOWN


def test_local_programs_of_a_driver_are_compared_by_content(tmp_path: Path) -> None:
    config = load(make_request(tmp_path).config, None, None)
    program = tmp_path / "Vagrantfile"
    program.write_text("a")
    before = trust.current_request(config, [str(program)])
    program.write_text("b")
    after = trust.current_request(config, [str(program)])
    assert before.digest != after.digest
    assert after.lines[-1].startswith(f"{program} = sha256:")


@pytest.mark.parametrize(("value", "status"), [("1", TrustStatus.BYPASSED), ("0", TrustStatus.UNKNOWN)])
def test_the_bypass_has_to_be_exactly_1(
    tmp_path: Path, environment: Mapping[str, str], value: str, status: TrustStatus
) -> None:
    assert trust.status(make_request(tmp_path), {**environment, "RDO_TRUST": value}) is status


def test_records_are_private_and_many_may_write_at_once(tmp_path: Path, environment: Mapping[str, str]) -> None:
    (tmp_path / "state" / "rdo").mkdir(parents=True, mode=0o755)
    requests = [TrustRequest("/a/.rdo.conf", f"p{number % 5}", (("host", '"h"'),)) for number in range(50)]
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(Store(environment).add, requests))
    store = tmp_path / "state" / "rdo" / "allowed"
    assert [record.profile for record in Store(environment).records()] == [f"p{number}" for number in range(5)]
    assert [directory.stat().st_mode & 0o777 for directory in (store.parent, store)] == [0o700, 0o700]
    assert {file.stat().st_mode & 0o777 for file in store.iterdir()} == {0o600}
    assert len(list(store.iterdir())) == 5


def record_of(tmp_path: Path, environment: Mapping[str, str]) -> Path:
    Store(environment).add(make_request(tmp_path))
    return next((tmp_path / "state" / "rdo" / "allowed").iterdir())


def test_a_denied_request_is_not_allowed_any_more(tmp_path: Path, environment: Mapping[str, str]) -> None:
    record_of(tmp_path, environment)
    made = make_request(tmp_path)
    assert Store(environment).forget(made.config, made.profile)
    assert not Store(environment).forget(made.config, made.profile)
    assert trust.status(made, environment) is TrustStatus.UNKNOWN


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff", b'{"config": 1}', b"[" * 100_000, b" " * 2**21])
def test_a_broken_record_allows_nothing(tmp_path: Path, environment: Mapping[str, str], content: bytes) -> None:
    record_of(tmp_path, environment).write_bytes(content)
    assert trust.status(make_request(tmp_path), environment) is TrustStatus.UNKNOWN


def test_a_link_in_place_of_a_record_allows_nothing(tmp_path: Path, environment: Mapping[str, str]) -> None:
    record = record_of(tmp_path, environment)
    record.rename(tmp_path / "elsewhere")
    record.symlink_to(tmp_path / "elsewhere")
    assert trust.status(make_request(tmp_path), environment) is TrustStatus.UNKNOWN


@pytest.fixture
def world_writable_request(tmp_path: Path) -> TrustRequest:
    """The request of a config that everyone can write."""
    (tmp_path / ".rdo.conf").write_text(BASE)
    (tmp_path / ".rdo.conf").chmod(0o666)
    return trust.current_request(load(str(tmp_path / ".rdo.conf"), None, None), [])


def test_a_file_that_others_can_change_is_used_if_exactly_that_was_accepted(
    tmp_path: Path, environment: Mapping[str, str], world_writable_request: TrustRequest
) -> None:
    assert trust.status(world_writable_request, environment) is TrustStatus.EXPOSED
    assert trust.status(world_writable_request, {**environment, "RDO_TRUST": "1"}) is TrustStatus.EXPOSED
    refusal = str(trust.refusal(world_writable_request, TrustStatus.EXPOSED))
    assert refusal.startswith(f"{tmp_path}/.rdo.conf: can be written by everyone;")
    Store(environment).add(world_writable_request)
    assert trust.status(world_writable_request, environment) is TrustStatus.ALLOWED
    (tmp_path / ".rdo.conf").chmod(0o777)
    worse = trust.current_request(load(str(tmp_path / ".rdo.conf"), None, None), [])
    assert trust.status(worse, environment) is TrustStatus.EXPOSED
    (tmp_path / ".rdo.conf").chmod(0o600)
    better = trust.current_request(load(str(tmp_path / ".rdo.conf"), None, None), [])
    assert trust.status(better, environment) is TrustStatus.CHANGED


@as_root
@pytest.mark.parametrize("place", ["record", "directory"])
def test_records_that_another_user_created_are_refused(
    tmp_path: Path, environment: Mapping[str, str], place: str
) -> None:
    record = record_of(tmp_path, environment)
    os.chown(record if place == "record" else record.parent, ANOTHER_USER, -1)
    with pytest.raises(SetupError, match=r"belongs to another user: uid 54321; use `sudo -H`$"):
        trust.status(make_request(tmp_path), environment)


@as_root
def test_root_with_another_users_home_is_told_to_use_its_own(tmp_path: Path, environment: Mapping[str, str]) -> None:
    record = record_of(tmp_path, environment)
    os.chown(record.parent, ANOTHER_USER, -1)
    with pytest.raises(SetupError, match=r"and you are root, use `sudo -H`; set RDO_TRUST=1 for this once$"):
        Store(environment).add(make_request(tmp_path))


@pytest.mark.parametrize("place", ["record", "directory"])
def test_records_that_others_can_write_are_refused(tmp_path: Path, environment: Mapping[str, str], place: str) -> None:
    record = record_of(tmp_path, environment)
    (record if place == "record" else record.parent).chmod(0o777)
    with pytest.raises(SetupError, match="can be written by others"):
        trust.status(make_request(tmp_path), environment)
