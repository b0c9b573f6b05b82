"""Tests for variables that name files of this machine."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from rdo import project


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("RDO_SSH_CONFIG", "conf", "{here}/conf", id="a relative path"),
        pytest.param("SSH_AUTH_SOCK", "../s", "{here}/../s", id="a socket"),
        pytest.param("DOCKER_CONFIG", "/x", "/x", id="an absolute path"),
        pytest.param("RDO_SSH_CONFIG", "~/x", "~/x", id="a tilde"),
        pytest.param("VAGRANT_CWD", "", "", id="nothing"),
        pytest.param("DOCKER_HOST", "unix://run/s", "unix://{here}/run/s", id="a socket of docker's"),
        pytest.param("DOCKER_HOST", "unix:///run/s", "unix:///run/s", id="an absolute one"),
        pytest.param("DOCKER_HOST", "tcp://a:1", "tcp://a:1", id="no socket"),
        pytest.param("OTHER", "x", "x", id="no path"),
    ],
)
def test_paths_are_sent_to_a_master_as_absolute_paths(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {"HOME": "/h", name: value}
    project.complete(environ)
    assert environ == {"HOME": "/h", name: expected.format(here=os.getcwd())}


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}])
def test_an_unset_home_is_that_of_the_user_database(environ: dict[str, str]) -> None:
    project.complete(environ)
    assert environ == {"HOME": pwd.getpwuid(os.geteuid()).pw_dir}


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}])
def test_a_user_who_is_not_in_the_database_has_no_home(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 2**31 - 5)
    before = dict(environ)
    project.complete(environ)
    assert environ == before


def test_paths_stay_unchanged_if_the_working_directory_was_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    environ = {"HOME": "/root", "SSH_AUTH_SOCK": "agent", "DOCKER_HOST": "unix://engine"}
    project.complete(given := dict(environ))
    assert given == environ
