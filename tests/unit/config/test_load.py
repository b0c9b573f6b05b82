"""Tests for who may own or write a config file."""

from __future__ import annotations

import grp
import os
import pwd
import tempfile
from pathlib import Path

import pytest

from rdo.config.load import Config, load

ANOTHER = 54321
"""A uid and gid that nobody on the machine has."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
files = pytest.mark.parametrize("name", [".rdo.conf", ".rdo.local.conf", "user.toml"])


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with all three config files, which are acceptable."""
    for name in (".rdo.conf", ".rdo.local.conf", "user.toml"):
        (tmp_path / name).write_text('driver = "local"\ndirectory = "/x"\n')
    assert load_in(tmp_path).exposed == ()
    return tmp_path


def load_in(directory: Path) -> Config:
    return load(str(directory / ".rdo.conf"), None, str(directory / "user.toml"))


ACCEPT = ", or `rdoctl allow` to accept it anyway"


def refusal(directory: Path) -> str:
    """The error for the only file that others can change."""
    (exposure,) = load_in(directory).exposed
    return str(exposure.error)


@as_root
@files
def test_a_config_file_of_another_user_is_refused_and_named(directory: Path, name: str) -> None:
    os.chown(directory / name, ANOTHER, -1)
    file = f"{directory}/{name}"
    expected = f"{file}: belongs to another user (uid {ANOTHER}); if you trust it, `sudo chown 0 {file}`{ACCEPT}"
    assert refusal(directory) == expected


@as_root
@files
def test_a_link_that_another_user_made_is_refused(directory: Path, name: str) -> None:
    (directory / name).rename(directory / "real")
    (directory / name).symlink_to("real")
    assert load_in(directory).exposed == ()
    os.chown(directory / name, ANOTHER, -1, follow_symlinks=False)
    assert "belongs to another user" in refusal(directory)


@files
@pytest.mark.parametrize("mode", [0o666, 0o646, 0o602, 0o777], ids=oct)
def test_a_config_file_that_everyone_can_write_is_refused(directory: Path, name: str, mode: int) -> None:
    (directory / name).chmod(mode)
    assert (
        refusal(directory) == f"{directory}/{name}: can be written by everyone; `chmod go-w {directory}/{name}`{ACCEPT}"
    )


@as_root
@files
def test_a_config_file_that_a_group_can_write_is_refused(directory: Path, name: str) -> None:
    os.chown(directory / name, -1, ANOTHER)
    (directory / name).chmod(0o664)
    assert (
        refusal(directory) == f"{directory}/{name}: can be written by a group; `chmod g-w {directory}/{name}`{ACCEPT}"
    )


@as_root
def test_a_file_of_root_is_accepted_for_every_user() -> None:
    with tempfile.TemporaryDirectory(prefix="rdo-", dir="/tmp") as directory:
        os.chmod(directory, 0o755)
        Path(directory, ".rdo.conf").write_text('driver = "local"\ndirectory = "/x"\n')
        os.seteuid(ANOTHER)
        try:
            assert load_in(Path(directory)).exposed == ()
        finally:
            os.seteuid(0)


def test_a_file_of_the_users_own_private_group_may_be_writable_by_it(directory: Path) -> None:
    """Files are created so with umask 002, where every user has a group of the same name."""
    me = pwd.getpwuid(os.geteuid())
    group = grp.getgrgid(me.pw_gid)
    if group.gr_name != me.pw_name or set(group.gr_mem) - {me.pw_name}:
        pytest.skip("this user has no group of their own")
    (directory / ".rdo.conf").chmod(0o664)
    assert load_in(directory).exposed == ()
