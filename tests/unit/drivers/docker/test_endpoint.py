"""Tests for the choice of the engine by DOCKER_HOST, DOCKER_CONTEXT and the current context, in the order that `docker`
uses.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from rdo.drivers.docker.endpoint import EngineEndpoint, TlsFiles, parse, resolve
from rdo.drivers.docker.ssh_program import ssh_command
from rdo.errors import ConfigError

DEFAULT = "unix:///var/run/docker.sock"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory with the contexts `desktop` (the current one), `remote` and `locked`."""
    directory = tmp_path / ".docker"
    add_context(directory, "desktop", {"Host": "unix:///run/desktop.sock"})
    add_context(directory, "remote", {"Host": "tcp://10.0.0.1:2376", "SkipTLSVerify": True}, tls=True)
    (directory / "config.json").write_text('{"currentContext": "desktop"}')
    return tmp_path


def add_context(directory: Path, name: str, docker: dict[str, object], *, tls: bool = False) -> None:
    digest = hashlib.sha256(name.encode()).hexdigest()
    place = directory / "contexts" / "meta" / digest
    place.mkdir(parents=True)
    (place / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": docker}}))
    if tls:
        (directory / "contexts" / "tls" / digest / "docker").mkdir(parents=True)


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({}, "unix:///run/desktop.sock"),
        ({"DOCKER_CONTEXT": "default"}, DEFAULT),
        ({"DOCKER_CONTEXT": "remote"}, "tcp://10.0.0.1:2376"),
        ({"DOCKER_CONTEXT": "remote", "DOCKER_HOST": "unix:///a.sock"}, "unix:///a.sock"),
        ({"DOCKER_HOST": ""}, "unix:///run/desktop.sock"),
        ({"DOCKER_CONFIG": "/nowhere"}, DEFAULT),
    ],
)
def test_the_engine_is_the_one_that_docker_would_use(home: Path, variables: dict[str, str], name: str) -> None:
    assert resolve({"HOME": str(home), **variables}).name == name


def test_a_context_brings_its_certificates(home: Path) -> None:
    tls = resolve({"HOME": str(home), "DOCKER_CONTEXT": "remote"}).tls
    assert tls is not None
    assert not tls.verify
    assert Path(tls.directory).is_dir()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"currentContext": 7}'])
def test_an_empty_config_file_of_docker_is_not_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    assert resolve({"DOCKER_CONFIG": str(tmp_path)}).name == DEFAULT


@pytest.mark.parametrize("meta", ["[]", "{}", '{"Endpoints": []}', '{"Endpoints": {"docker": 1}}'])
def test_an_unknown_context_is_named(home: Path, meta: str) -> None:
    with pytest.raises(ConfigError, match="no docker context `missing`; DOCKER_CONTEXT names it; see "):
        resolve({"HOME": str(home), "DOCKER_CONTEXT": "missing"})
    for file in home.rglob("meta.json"):
        file.write_text(meta)
    with pytest.raises(ConfigError, match="no docker context `desktop`"):
        resolve({"HOME": str(home)})


@pytest.mark.parametrize(
    ("name", "endpoint"),
    [
        ("unix:///a b.sock", EngineEndpoint("unix:///a b.sock", "unix", "/a b.sock")),
        ("unix:///a?b#c", EngineEndpoint("unix:///a?b#c", "unix", "/a?b#c")),
        ("unix://", EngineEndpoint("unix://", "unix", "/var/run/docker.sock")),
        ("", EngineEndpoint(DEFAULT, "unix", "/var/run/docker.sock")),
        (" tcp://box ", EngineEndpoint("tcp://box", "tcp", "box", 2375)),
        ("tcp://", EngineEndpoint("tcp://", "tcp", "localhost", 2375)),
        ("box:99", EngineEndpoint("box:99", "tcp", "box", 99)),
        ("tcp://box/base/", EngineEndpoint("tcp://box/base/", "tcp", "box", 2375, path="/base")),
        ("tcp://box", EngineEndpoint("tcp://box", "tcp", "box", 2375)),
        ("tcp://[::1]:99", EngineEndpoint("tcp://[::1]:99", "tcp", "::1", 99)),
        ("https://box", EngineEndpoint("https://box", "tcp", "box", 2376, tls=TlsFiles("", True, needs_ca=False))),
        ("ssh://box", EngineEndpoint("ssh://box", "ssh", "box")),
        ("ssh://DevBox/run/x.sock", EngineEndpoint("ssh://DevBox/run/x.sock", "ssh", "DevBox", path="/run/x.sock")),
        ("ssh://me@box:22", EngineEndpoint("ssh://me@box:22", "ssh", "box", 22, "me")),
    ],
)
def test_an_address_is_parsed(name: str, endpoint: EngineEndpoint) -> None:
    assert parse(name, None) == endpoint


@pytest.mark.parametrize(
    "name",
    [
        "fd://",
        "ftp://box",
        "tcp://box:x",
        "tcp://b\nox",
        "unix:///a\0b",
        "tcp://[box",
        "tcp://box?x=1",
        "ssh://",
        "ssh://me:secret@box",
        "ssh://box?x=1",
        "ssh://-oProxyCommand=id",
        "ssh://-l@box",
    ],
)
def test_what_is_not_an_address_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="not the address of a Docker engine"):
        parse(name, None)


@pytest.mark.parametrize(
    ("variables", "tls"),
    [
        ({}, None),
        ({"DOCKER_TLS_VERIFY": "1"}, TlsFiles("/home/.docker", verify=True)),
        ({"DOCKER_TLS": "1", "DOCKER_CERT_PATH": "/certs"}, TlsFiles("/certs", verify=False)),
    ],
)
def test_tls_is_requested_by_the_environment(variables: dict[str, str], tls: TlsFiles | None) -> None:
    assert resolve({"HOME": "/home", "DOCKER_HOST": "tcp://box", **variables}).tls == tls
    assert resolve({"HOME": "/home", **variables}).name == ("tcp://localhost:2376" if tls else DEFAULT)


def test_a_context_without_verification_still_uses_tls(home: Path) -> None:
    add_context(home / ".docker", "open", {"Host": "tcp://box", "SkipTLSVerify": True})
    add_context(home / ".docker", "clear", {"Host": "tcp://box"})
    found = {name: resolve({"HOME": str(home), "DOCKER_CONTEXT": name}).tls for name in ("open", "clear")}
    assert found["clear"] is None
    assert found["open"] is not None
    assert found["open"].verify is False


def test_ssh_is_run_as_docker_runs_it() -> None:
    command = ssh_command(parse("ssh://me@box:23", None), {"RDO_SSH_CONFIG": "/c"})
    assert command[-9:] == ["-l", "me", "-p", "23", "--", "box", "docker", "system", "dial-stdio"]
    assert command[command.index("-F") + 1] == "/c"
    command = ssh_command(parse("ssh://box/a b.sock", None), {})
    assert command[-6:] == ["box", "docker", "--host", "'unix:///a b.sock'", "system", "dial-stdio"]
    assert "-F" not in ssh_command(parse("ssh://box", None), {})
