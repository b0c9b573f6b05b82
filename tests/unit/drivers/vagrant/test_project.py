"""Where a Vagrant project is: the Vagrantfile, Vagrant's state of it, and the variables that move them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rdo.drivers.vagrant.project import find_project
from rdo.errors import ConfigError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project" / "deep" / "down").mkdir(parents=True)
    (tmp_path / "project" / "Vagrantfile").touch()
    return tmp_path / "project"


@pytest.mark.parametrize("below", ["", "deep", "deep/down"])
def test_the_vagrantfile_is_found_above(project: Path, below: str) -> None:
    place = find_project(str(project / below), {})
    assert (place.vagrantfile, place.directory) == (str(project / "Vagrantfile"), str(project))
    assert (place.dotfile, place.machines) == (str(project / ".vagrant"), str(project / ".vagrant" / "machines"))


def test_the_lower_case_name_counts_too(tmp_path: Path) -> None:
    (tmp_path / "vagrantfile").touch()
    assert find_project(str(tmp_path), {}).vagrantfile == str(tmp_path / "vagrantfile")


def test_a_name_of_ones_own_is_the_only_one_that_counts(project: Path) -> None:
    (project / "deep" / "Vagrantfile").touch()
    (project / "Other").touch()
    assert find_project(str(project / "deep"), {"VAGRANT_VAGRANTFILE": "Other"}).vagrantfile == str(project / "Other")


@pytest.mark.parametrize("given", ["{project}/deep", "deep", "./deep/down/.."])
def test_vagrant_cwd_stands_in_for_the_directory_and_is_relative_to_the_working_directory(
    project: Path, tmp_path: Path, given: str
) -> None:
    place = find_project(str(tmp_path), {"VAGRANT_CWD": given.format(project=project), "PWD": str(project)})
    assert (place.start, place.directory) == (str(project / "deep"), str(project))


@pytest.mark.parametrize(
    ("given", "dotfile"),
    [(".state", "{project}/.state"), ("../x", "{above}/x"), ("/x/y", "/x/y"), ("", "{project}/.vagrant")],
)
def test_vagrant_dotfile_path_is_relative_to_the_vagrantfile(project: Path, given: str, dotfile: str) -> None:
    place = find_project(str(project / "deep"), {"VAGRANT_DOTFILE_PATH": given})
    assert place.dotfile == dotfile.format(project=project, above=project.parent)


def test_vagrant_gets_the_project_whatever_its_variables_were(project: Path) -> None:
    given = {"PATH": "/bin", "VAGRANT_DOTFILE_PATH": ".state"}
    told = find_project(str(project / "deep"), given).environment({**given, "VAGRANT_CWD": "elsewhere"})
    assert told == {
        "PATH": "/bin",
        "VAGRANT_CWD": str(project / "deep"),
        "VAGRANT_DOTFILE_PATH": str(project / ".state"),
    }


def test_without_a_vagrantfile_the_error_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as failure:
        find_project(str(tmp_path), {"VAGRANT_VAGRANTFILE": "NoSuchFile"})
    why = "it and the directories above have no NoSuchFile; `vagrant init` writes one"
    assert str(failure.value) == f"`{tmp_path}` has no Vagrant machine: {why}"


def test_the_stamp_changes_with_the_vagrantfile(project: Path) -> None:
    place = find_project(str(project), {})
    before = place.stamp()
    os.utime(project / "Vagrantfile", ns=(1, 1))
    touched = place.stamp()
    (project / "Vagrantfile").write_text("# more")
    os.utime(project / "Vagrantfile", ns=(1, 1))
    grown = place.stamp()
    (project / "Vagrantfile").unlink()
    assert len({str(stamp) for stamp in (before, touched, grown, place.stamp())}) == 4
