"""Tests for how far up a `.rdo.conf` is searched for: neither across file systems, nor above the home directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rdo.errors import ConfigError
from rdo.project import discover

BEYOND = "it is on another file system, or above your home directory"
ELSEWHERE = Path("/dev")
"""A separate file system on every system."""


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a config, which contains `home/project` without one."""
    (tmp_path / "home" / "project").mkdir(parents=True)
    (tmp_path / ".rdo.conf").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


def root_from(directory: Path, monkeypatch: pytest.MonkeyPatch, pwd: Path | None = None) -> str:
    """The directory of the config that applies in a directory, which a shell shows as `pwd`."""
    monkeypatch.chdir(directory)
    monkeypatch.setenv("PWD", str(pwd or directory))
    return discover(os.environ).root


def refusal(directory: Path, monkeypatch: pytest.MonkeyPatch, pwd: Path | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        root_from(directory, monkeypatch, pwd)
    return str(caught.value)


@pytest.mark.parametrize("below", ["home", "home/project"])
def test_a_config_above_the_home_directory_does_not_count_in_it(
    top: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    text = refusal(top / below, monkeypatch)
    assert text == (
        f"no `.rdo.conf` in `{top / below}` or any directory above: the one in `{top}` is ignored: {BEYOND}; "
        "`rdoctl init` writes one"
    )


def test_a_config_in_the_home_directory_counts_below_it(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (top / "home" / ".rdo.conf").touch()
    assert root_from(top / "home" / "project", monkeypatch) == f"{top}/home"


def test_beside_the_home_directory_the_search_goes_on_to_the_root(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (top / "homework").mkdir()
    assert root_from(top / "homework", monkeypatch) == str(top)


@pytest.mark.parametrize("home", ["", "/"])
def test_without_a_home_directory_the_search_goes_on_to_the_root(
    top: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setenv("HOME", home)
    assert root_from(top / "home" / "project", monkeypatch) == str(top)


def test_a_home_directory_that_is_a_link_ends_the_search_where_it_leads(
    top: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    link = tmp_path_factory.mktemp("links") / "me"
    link.symlink_to(top / "home")
    monkeypatch.setenv("HOME", str(link))
    assert BEYOND in refusal(top / "home" / "project", monkeypatch)


def test_a_config_on_another_file_system_does_not_count(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.stat(ELSEWHERE).st_dev == os.stat(top).st_dev or os.path.exists("/.rdo.conf"):
        pytest.skip(f"{ELSEWHERE} is no file system of its own")
    monkeypatch.delenv("HOME")
    (top / "link").symlink_to(ELSEWHERE)
    assert f"the one in `{top}` is ignored" in refusal(ELSEWHERE, monkeypatch, top / "link")
