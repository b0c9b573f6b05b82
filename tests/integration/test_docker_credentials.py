"""Tests for Docker's credentials: in its config.json, and from credential helpers, which are real programs here."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from rdo.drivers.docker import credentials
from rdo.drivers.docker.credentials import HUB_KEY, header_for_all, header_for_image
from rdo.errors import ConnectError

AUTH = base64.b64encode(b"me:pa:ss").decode()


def write(directory: Path, config: object) -> dict[str, str]:
    """The environment of a user with that config.json, and with a PATH that has the helpers."""
    (directory / "config.json").write_text(json.dumps(config))
    return {"DOCKER_CONFIG": str(directory), "PATH": f"{directory}:/usr/bin:/bin", "PWD": str(directory)}


def helper(directory: Path, name: str, script: str) -> None:
    """Create a credential helper from a shell script."""
    program = directory / f"docker-credential-{name}"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def decoded(header: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(header))


def test_a_helper_that_never_answers_is_not_waited_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "HELPER_TIMEOUT", 0.2)
    variables = write(tmp_path, {"credsStore": "odd"})
    helper(tmp_path, "odd", "exec sleep 1000")
    with pytest.raises(
        ConnectError, match=r"`registry.test/x`: the Docker credential helper did not respond within 0 s"
    ):
        header_for_image("registry.test/x", variables)


def test_the_answer_of_a_helper_is_passed_on(tmp_path: Path) -> None:
    variables = write(tmp_path, {"credsStore": "odd", "auths": {"registry.test": {}}})
    helper(tmp_path, "odd", 'read server; printf \'{"Username": "%s", "Secret": "word"}\' "$server"')
    known = {"username": "registry.test", "password": "word", "serveraddress": "registry.test"}
    assert decoded(header_for_image("registry.test/x", variables)) == known
    assert decoded(header_for_image("debian", variables))["username"] == HUB_KEY


def test_a_helper_runs_where_the_command_was_typed_with_the_caller_s_environment(tmp_path: Path) -> None:
    variables = write(tmp_path, {"credHelpers": {"registry.test": "odd"}}) | {"WHO": "me"}
    helper(tmp_path, "odd", 'printf \'{"Username": "%s", "Secret": "%s"}\' "$WHO" "$PWD"')
    assert decoded(header_for_image("registry.test/x", variables))["password"] == str(tmp_path)
    assert decoded(header_for_image("registry.test/x", variables))["username"] == "me"


def test_a_token_is_passed_on_as_such(tmp_path: Path) -> None:
    variables = write(tmp_path, {"credsStore": "odd", "auths": {"other.test": {"identitytoken": "abc"}}})
    helper(tmp_path, "odd", 'read server; [ "$server" = r.test ] && echo \'{"Username": "<token>", "Secret": "t"}\'')
    assert decoded(header_for_image("r.test/x", variables)) == {"identitytoken": "t", "serveraddress": "r.test"}


@pytest.mark.parametrize("key", ["registry.test", "https://registry.test", "https://registry.test/v1/"])
def test_credentials_in_the_file_are_found_by_the_name_of_the_host(tmp_path: Path, key: str) -> None:
    variables = write(tmp_path, {"auths": {key: {"auth": AUTH}}})
    found = decoded(header_for_image("registry.test/a/b:1@sha256:0", variables))
    assert (found["username"], found["password"]) == ("me", "pa:ss")
    assert header_for_image("other.test/x", variables) == header_for_image("x", variables) == ""


def test_an_image_without_a_host_is_docker_hub_s(tmp_path: Path) -> None:
    variables = write(tmp_path, {"auths": {HUB_KEY: {"auth": AUTH}}})
    headers = {header_for_image(image, variables) for image in ("debian", "me/app", "docker.io/me/app")}
    assert [decoded(header)["username"] for header in headers] == ["me"]


def test_if_a_helper_has_nothing_the_file_is_used(tmp_path: Path) -> None:
    variables = write(tmp_path, {"credsStore": "odd", "auths": {"registry.test": {"auth": AUTH}}})
    helper(tmp_path, "odd", f"echo '{credentials.NOT_FOUND}'; exit 1")
    assert decoded(header_for_image("registry.test/x", variables))["username"] == "me"
    helper(tmp_path, "odd", 'echo \'{"Username": "", "Secret": ""}\'')
    assert header_for_image("other.test/x", variables) == ""


def test_a_build_gets_all_of_them(tmp_path: Path) -> None:
    config = {"auths": {"a.test": {"auth": AUTH}, "c.test": {}}, "credsStore": "all", "credHelpers": {"b.test": "one"}}
    variables = write(tmp_path, config)
    helper(tmp_path, "one", 'echo \'{"Username": "b", "Secret": "s"}\'')
    listing = json.dumps({"https://c.test/v1/": "c"})
    helper(tmp_path, "all", f'[ $1 = list ] && echo \'{listing}\' || echo \'{{"Username": "c", "Secret": "s"}}\'')
    names = {key: each["username"] for key, each in decoded(header_for_all(variables)).items()}
    assert names == {"a.test": "me", "b.test": "b", "https://c.test/v1/": "c", "c.test": "c"}


@pytest.mark.parametrize("entry", [{"auth": "%"}, {"auth": base64.b64encode(b"me").decode()}, "x", {"auth": 1}])
def test_an_invalid_entry_is_named(tmp_path: Path, entry: object) -> None:
    variables = write(tmp_path, {"auths": {"r.test": entry}})
    with pytest.raises(ConnectError, match=r"`auths` in `.*` has an invalid entry for `r.test`; `docker login r.test`"):
        header_for_image("r.test/x", variables)
    assert header_for_image("other.test/x", variables) == ""


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo no key; exit 2", "`docker-credential-odd`: no key; `docker login`"),
        ("exit 2", "status 2"),
        ("echo nonsense", "its answer is not valid"),
        (None, "`docker-credential-odd` is not in PATH"),
    ],
)
def test_a_helper_that_fails_is_named(tmp_path: Path, script: str | None, why: str) -> None:
    variables = write(tmp_path, {"credsStore": "odd"})
    if script:
        helper(tmp_path, "odd", script)
    with pytest.raises(ConnectError, match=why):
        header_for_image("r.test/x", variables)


def test_without_a_usable_file_there_are_none(tmp_path: Path) -> None:
    assert header_for_image("r.test/x", {"DOCKER_CONFIG": str(tmp_path)}) == ""
    (tmp_path / "config.json").write_text("{")
    assert header_for_image("r.test/x", {"DOCKER_CONFIG": str(tmp_path)}) == ""
    assert header_for_all(write(tmp_path, {"auths": [], "credHelpers": 1})) == ""
