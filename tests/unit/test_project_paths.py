"""Variables that name files of this machine."""

from __future__ import annotations

import os
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
def test_paths_go_to_a_master_from_the_root_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {name: value}
    project.make_absolute(environ)
    assert environ == {name: expected.format(here=os.getcwd())}
