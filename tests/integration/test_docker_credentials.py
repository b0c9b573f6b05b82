"""Docker's own credential helpers: real programs, one of which never answers."""

from __future__ import annotations

import base64
import json
import os
import signal
from pathlib import Path

import pytest

from rdo.drivers.docker import credentials
from rdo.errors import ConnectError

HELPER = """\
#!/bin/sh
echo $$ >"{pid}"
exec {then}
"""


def environment(directory: Path, then: str) -> dict[str, str]:
    """One in which Docker's configuration names a helper that ends in this command."""
    (directory / "config.json").write_text(json.dumps({"credsStore": "odd"}))
    program = directory / "docker-credential-odd"
    program.write_text(HELPER.format(pid=directory / "pid", then=then))
    program.chmod(0o755)
    return {"DOCKER_CONFIG": str(directory), "PATH": f"{directory}:{os.environ['PATH']}"}


def test_a_helper_that_never_answers_is_not_waited_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "HELPER_TIMEOUT", 1.0)
    variables = environment(tmp_path, "sleep 1000")
    monkeypatch.setenv("PATH", variables["PATH"])
    with pytest.raises(ConnectError, match=r"`registry.test/x`: Docker's credential helper gave no answer within 1 s"):
        credentials.header_for_image("registry.test/x", variables)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_what_a_helper_says_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = '{"Username": "me", "Secret": "word"}'
    variables = environment(tmp_path, f"echo '{secret}'")
    monkeypatch.setenv("PATH", variables["PATH"])
    header = credentials.header_for_image("registry.test/x", variables)
    assert json.loads(base64.urlsafe_b64decode(header))["Password"] == "word"
