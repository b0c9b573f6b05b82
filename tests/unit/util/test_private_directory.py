"""Tests for rdo's own directories: private whatever the umask is, and never created through another user's links."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.util import private_directory

ANOTHER_USER = 54321
"""A uid that no user of the machine has."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to somebody else")


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_everything_that_is_created_is_private(tmp_path: Path) -> None:
    made = tmp_path / ".local" / "state" / "rdo"
    for _ in range(2):
        private_directory.make(str(made))
    assert [each.stat().st_mode & 0o777 for each in (made, made.parent, made.parent.parent)] == [0o700] * 3


def test_a_file_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        private_directory.make(str(tmp_path / "file" / "rdo"))


@as_root
@pytest.mark.parametrize("planted", ["home", "link", "link above", "file"])
def test_root_makes_nothing_where_another_user_says_what_leads_where(tmp_path: Path, planted: str) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    place = home / ".local" / "state"
    if planted == "home":
        os.chown(home, ANOTHER_USER, -1)
    elif planted == "file":
        place.mkdir(parents=True)
        os.chown(place, ANOTHER_USER, -1)
    else:
        (home / ".local" if planted == "link above" else place).parent.mkdir(parents=True, exist_ok=True)
        link = home / ".local" if planted == "link above" else place
        link.symlink_to(elsewhere)
        os.lchown(link, ANOTHER_USER, -1)
    with pytest.raises(PermissionError, match=r"belongs to another user .uid 54321. and you are root, use `sudo -H`"):
        private_directory.make(str(place / "rdo"))
    assert list(elsewhere.iterdir()) == []


@as_root
def test_ones_own_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    private_directory.make(str(tmp_path / "link" / "rdo"))
    assert (tmp_path / "data" / "rdo").is_dir()
