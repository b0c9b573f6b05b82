"""Tests for which `.rdo.conf` a working directory belongs to, and when it is considered changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rdo.errors import ConfigError, RdoError
from rdo.project import FoundConfig, change_directory, discover, logical, stamp, user_file

CONFIG = ".rdo.conf"


def directories(found: FoundConfig) -> tuple[str, str, str, str]:
    return found.config, found.root, found.pwd, found.cwd


@pytest.mark.parametrize("below", ["", "a", "a/b"])
def test_every_directory_above_is_searched_for_the_config(
    project: Path, enter: Callable[..., None], below: str
) -> None:
    enter(project / below)
    here = str(project / below)
    assert directories(discover(os.environ)) == (f"{project}/{CONFIG}", str(project), here, here)


def test_the_nearest_config_counts(project: Path, enter: Callable[..., None]) -> None:
    (project / "a" / CONFIG).touch()
    enter(project / "a" / "b")
    assert discover(os.environ).root == f"{project}/a"


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("nowhere", "a dangling link to `nowhere`: no such file or directory"),
        (CONFIG, f"a dangling link to `{CONFIG}`: too many levels of symbolic links"),
        ("/proc/self/cmdline", "a link to `/proc/self/cmdline`, which is a different file for each process"),
        ("/dev/stdin", "a link to `/dev/stdin`, which is a different file for each process"),
    ],
)
def test_a_dangling_link_is_named_and_no_other_config_used_instead(
    project: Path, enter: Callable[..., None], target: str, why: str
) -> None:
    (project / "a" / CONFIG).symlink_to(target)
    for place, named in (("a/b", ""), (".", str(project / "a"))):
        enter(project / place)
        with pytest.raises(ConfigError) as caught:
            discover(os.environ, named)
        assert str(caught.value).lower() == f"{project}/a/{CONFIG}: {why}; make it a file, or a link to one".lower()


def test_a_link_to_another_link_is_followed(project: Path, enter: Callable[..., None]) -> None:
    (project / "a" / "second").symlink_to(f"../{CONFIG}")
    (project / "a" / CONFIG).symlink_to("second")
    enter(project / "a")
    assert discover(os.environ).root == f"{project}/a"


def test_through_a_link_the_directories_are_as_the_shell_shows_them(project: Path, enter: Callable[..., None]) -> None:
    link = project.parent / "link"
    link.symlink_to(project)
    enter(project / "a", f"{link}/a")
    assert directories(discover(os.environ)) == (f"{project}/{CONFIG}", str(link), f"{link}/a", f"{project}/a")


def test_a_link_from_outside_into_the_project_leads_to_its_config(project: Path, enter: Callable[..., None]) -> None:
    link = project.parent / "link"
    link.symlink_to(project / "a")
    enter(project / "a", str(link))
    assert directories(discover(os.environ)) == (f"{project}/{CONFIG}", str(project), str(link), f"{project}/a")


def test_a_link_out_of_a_project_stays_with_it(project: Path, enter: Callable[..., None]) -> None:
    outside = project.parent / "outside"
    outside.mkdir()
    (project / "link").symlink_to(outside)
    enter(outside, f"{project}/link")
    assert directories(discover(os.environ)) == (f"{project}/{CONFIG}", str(project), f"{project}/link", str(outside))


@pytest.mark.parametrize(
    "pwd", ["", "/", "/nowhere", "relative", "{0}/a/", "/{0}/a", "{0}/a/../a", "{0}/./a", "{0}//a"]
)
def test_a_pwd_that_is_wrong_or_roundabout_is_ignored(project: Path, enter: Callable[..., None], pwd: str) -> None:
    enter(project / "a", pwd.format(project))
    assert logical(os.environ["PWD"], os.getcwd()) == f"{project}/a"
    assert directories(discover(os.environ)) == (f"{project}/{CONFIG}", str(project), f"{project}/a", f"{project}/a")


@pytest.mark.parametrize("pwd", ["{0}", "/{0}"], ids=["plain", "two slashes, as after `cd //tmp` in bash"])
def test_without_a_config_the_directory_is_named(project: Path, enter: Callable[..., None], pwd: str) -> None:
    (project / CONFIG).unlink()
    enter(project, pwd.format(project))
    with pytest.raises(ConfigError) as caught:
        discover(os.environ)
    assert str(caught.value) == f"no `.rdo.conf` in `{project}` or any directory above; `rdoctl init` writes one"


def test_in_the_topmost_directory_there_is_nothing_above(enter: Callable[..., None]) -> None:
    enter(Path("/"))
    with pytest.raises(ConfigError, match=r"no `\.rdo\.conf` in `/` or any directory above"):
        discover(os.environ)


def test_a_deleted_working_directory_is_an_error(project: Path, enter: Callable[..., None]) -> None:
    gone = project / "gone"
    gone.mkdir()
    enter(gone)
    gone.rmdir()
    with pytest.raises(ConfigError) as caught:
        discover(os.environ)
    reason = "no such file or directory; `cd` to a directory that exists"
    assert str(caught.value) == f"cannot determine the working directory: {reason}"


def test_a_named_directory_s_config_counts_where_the_working_directory_was_deleted(
    project: Path, enter: Callable[..., None]
) -> None:
    gone = project / "gone"
    gone.mkdir()
    enter(gone)
    gone.rmdir()
    found = discover(os.environ, str(project))
    assert directories(found) == (f"{project}/{CONFIG}", str(project), str(project), str(project))
    with pytest.raises(ConfigError):
        discover(os.environ, "..")


@pytest.mark.parametrize("here", ["/", "{0}", "{0}/a", "{0}/a/b", "{0}/.."])
def test_a_named_directory_s_config_counts_whatever_the_working_directory(
    project: Path, enter: Callable[..., None], here: str
) -> None:
    (project / "a" / CONFIG).touch()
    enter(Path(here.format(project)).resolve())
    found = discover(os.environ, str(project))
    inside = os.getcwd() if os.getcwd().startswith(str(project)) else str(project)
    assert directories(found) == (f"{project}/{CONFIG}", str(project), inside, inside)
    assert found.stamp == stamp(found.config, user_file(os.environ))


def test_a_directory_may_be_relative_or_reached_through_a_link(
    project: Path, enter: Callable[..., None], tmp_path: Path
) -> None:
    link = project.parent / "link"
    link.symlink_to(project)
    enter(tmp_path.resolve())
    assert directories(discover(os.environ, "link")) == (f"{project}/{CONFIG}", str(link), str(link), str(project))
    enter(project / "a", f"{link}/a")
    assert directories(discover(os.environ, str(project)))[1:] == (str(project), f"{link}/a", f"{project}/a")
    assert directories(discover(os.environ, ".."))[1:] == (str(link), f"{link}/a", f"{project}/a")


def test_a_directory_whose_name_has_the_same_prefix_is_outside(project: Path, enter: Callable[..., None]) -> None:
    beside = project.with_name("project-2")
    beside.mkdir()
    enter(beside)
    assert discover(os.environ, str(project)).pwd == str(project)


def test_a_named_directory_without_a_config_is_an_error(project: Path, enter: Callable[..., None]) -> None:
    enter(project)
    with pytest.raises(ConfigError) as caught:
        discover(os.environ, "a")
    hint = "correct `--project` or, after a move, type `rdoctl shim add` again"
    assert str(caught.value) == f"no `.rdo.conf` in `{project}/a`; {hint}"


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        pytest.param({"XDG_CONFIG_HOME": "/c", "HOME": "/h"}, "/c/rdo/config.toml", id="XDG_CONFIG_HOME"),
        pytest.param({"HOME": "/h"}, "/h/.config/rdo/config.toml", id="HOME"),
        pytest.param({"XDG_CONFIG_HOME": "c", "HOME": "/h"}, "/h/.config/rdo/config.toml", id="relative"),
    ],
)
def test_the_users_own_file_is_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], path: str
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert user_file(os.environ) == path


@pytest.mark.parametrize(
    ("directory", "pwd"),
    [
        pytest.param("b", "{0}/link/b", id="below"),
        pytest.param(".", "{0}/link", id="here"),
        pytest.param("b/..", "{0}/link", id="there and back"),
        pytest.param("{0}/a", "{0}/a", id="absolute"),
        pytest.param("..", "{0}", id="above the link and above the directory are one"),
        pytest.param("../..", "{0}/..", id="further up"),
        pytest.param("/{0}/a", "{0}/a", id="with two slashes"),
    ],
)
def test_to_change_the_directory_changes_how_the_shell_shows_it(
    project: Path, enter: Callable[..., None], directory: str, pwd: str
) -> None:
    (project / "link").symlink_to("a")
    enter(project / "a", f"{project}/link")
    change_directory(directory.format(project), os.environ)
    assert os.environ["PWD"] == os.path.normpath(pwd.format(project))
    assert os.path.samefile(os.environ["PWD"], ".")


def test_above_a_link_that_leads_elsewhere_it_is_the_physical_directory(
    project: Path, enter: Callable[..., None]
) -> None:
    link = project.parent / "link"
    link.symlink_to(project / "a" / "b")
    enter(project / "a" / "b", str(link))
    change_directory("..", os.environ)
    assert os.environ["PWD"] == os.getcwd() == f"{project}/a"


def test_a_directory_that_cannot_be_entered_is_an_error(project: Path, enter: Callable[..., None]) -> None:
    enter(project)
    with pytest.raises(RdoError) as caught:
        change_directory("nowhere", os.environ)
    assert str(caught.value) == "cannot change to `nowhere`: no such file or directory"
