"""Tests for a devcontainer.json as rdo's keys, and for the properties that are left out by name."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from rdo.cli.init import devcontainer
from rdo.cli.init.template import Suggestion
from rdo.drivers.docker.devcontainer import identity

ROOT = "/home/me/app"
HERE = {"C": "secret of some kind", "USER": "me", "B_TOKEN": "x", "URL": "http://me:secret@host"}
PLACE = ".devcontainer/devcontainer.json"


def read(data: dict[str, Any], path: str = PLACE, **files: str) -> Suggestion:
    """What a file with this content says, beside other files."""
    others = {name.replace("_", "."): text for name, text in files.items()}
    return devcontainer.suggestion(ROOT, path, json.dumps(data), others.get, HERE)


@pytest.mark.parametrize(
    ("data", "values"),
    [
        pytest.param({"image": "py"}, {"image": "py", "directory": "/workspaces/app"}, id="image"),
        pytest.param(
            {"image": "py", "workspaceFolder": "/w/${localWorkspaceFolderBasename}"},
            {"image": "py", "directory": "/w/app"},
            id="place",
        ),
        pytest.param(
            {
                "image": "py",
                "workspaceFolder": "/w/sub",
                "workspaceMount": "type=bind,source=${localWorkspaceFolder},target=/w",
            },
            {"image": "py", "directory": "/w"},
            id="a place below the mount",
        ),
        pytest.param(
            {"build": {"dockerfile": "Dockerfile"}},
            {"build": ".devcontainer", "directory": "/workspaces/app"},
            id="build",
        ),
        pytest.param(
            {"build": {"dockerfile": "Dockerfile.dev", "context": ".."}},
            {"build": ".", "dockerfile": ".devcontainer/Dockerfile.dev", "directory": "/workspaces/app"},
            id="context",
        ),
        pytest.param(
            {"dockerFile": "../Dockerfile", "context": ".."},
            {"build": ".", "directory": "/workspaces/app"},
            id="the old names",
        ),
        pytest.param(
            {"build": {"dockerfile": "Dockerfile", "target": "me", "args": {"V": "3", "P": "${localWorkspaceFolder}"}}},
            {
                "build": ".devcontainer",
                "build_target": "me",
                "build_args": {"V": "3", "P": ROOT},
                "directory": "/workspaces/app",
            },
            id="arguments",
        ),
        pytest.param({"dockerComposeFile": "c.yml", "service": "app"}, {"service": "app"}, id="service"),
        pytest.param(
            {"dockerComposeFile": ["c.yml"], "service": "app", "workspaceFolder": "/w"},
            {"service": "app", "directory": "/w"},
            id="service and place",
        ),
        pytest.param(
            {"image": "py", "remoteUser": "me", "containerUser": "you"},
            {"image": "py", "user": "me", "directory": "/workspaces/app"},
            id="user",
        ),
        pytest.param(
            {"image": "py", "containerUser": "you"},
            {"image": "py", "user": "you", "directory": "/workspaces/app"},
            id="container's user",
        ),
        pytest.param(
            {
                "image": "py",
                "containerEnv": {"A": "1", "B": "2"},
                "remoteEnv": {
                    "B": "3",
                    "C": "${localEnv:C}",
                    "PATH": "${containerEnv:PATH}:/opt/bin",
                    "D": "${containerWorkspaceFolder}/d",
                },
            },
            {
                "image": "py",
                "directory": "/workspaces/app",
                "env": {"A": "1", "B": "3", "D": "/workspaces/app/d"},
                "pass_env": ["C"],
                "path": ["/opt/bin"],
            },
            id="variables",
        ),
    ],
)
def test_what_has_a_key_is_used(data: dict[str, Any], values: dict[str, Any]) -> None:
    found = read(data)
    assert (found.driver, found.values, list(found.left_out)) == ("docker", values, [])


@pytest.mark.parametrize(
    ("more", "left_out"),
    [
        pytest.param({"name": "x", "customizations": {}, "$schema": "y"}, [], id="what only an editor reads"),
        pytest.param({"features": {}, "odd": 1}, ["features", "odd"], id="no key"),
        pytest.param({"workspaceFolder": "${odd}"}, ['workspaceFolder = "${odd}"'], id="unknown place"),
        pytest.param({"workspaceMount": "source=/x,target=/y"}, ["workspaceMount"], id="another mount"),
        pytest.param({"remoteUser": "-x"}, ['remoteUser = "-x"'], id="a user that is refused"),
        pytest.param(
            {"remoteEnv": {"A": "${containerEnv:B:x}", "C": None}},
            ['remoteEnv.A = "${containerEnv:B:x}"', "remoteEnv.C = null"],
            id="values that nobody knows here",
        ),
        pytest.param({"remoteEnv": []}, [], id="no table"),
        pytest.param({"postCreateCommand": "a\n" * 100}, ["postCreateCommand"], id="a command"),
    ],
)
def test_what_has_no_key_is_left_out_by_name(more: dict[str, Any], left_out: list[str]) -> None:
    assert [each.name for each in read({"image": "py", **more}).left_out] == left_out


@pytest.mark.parametrize(
    ("value", "comes_to"),
    [
        ("${localEnv:USER}", "me"),
        ("${localEnv:NOPE:a b}-", "a b-"),
        ("${env:NOPE}x", "x"),
        ("${localWorkspaceFolder}/x", f"{ROOT}/x"),
        ("${localWorkspaceFolderBasename}", "app"),
        ("${containerWorkspaceFolder}", "/workspaces/app"),
        ("${containerWorkspaceFolderBasename}", "app"),
        ("${devcontainerId}", identity(ROOT, f"{ROOT}/{PLACE}")),
    ],
)
def test_each_variable_of_the_format_is_expanded_in_every_value(value: str, comes_to: str) -> None:
    found = read({"image": "py", "remoteEnv": {"A": value}, "postCreateCommand": ["x", value]})
    assert (found.values["env"], list(found.once)) == ({"A": comes_to}, [shlex.join(["rdo", "x", comes_to])])
    built = read({"build": {"args": {"A": value}, "dockerfile": "D.${localEnv:USER}"}})
    assert (built.values["build_args"], built.values["dockerfile"]) == ({"A": comes_to}, "D.me")


def test_only_the_property_itself_is_left_out() -> None:
    found = read({"image": "py", "remoteEnv": {"1": "x", "A": "y"}, "workspaceFolder": "app"})
    assert [each.name for each in found.left_out] == ['workspaceFolder = "app"', 'remoteEnv.1 = "x"']
    assert found.values == {"image": "py", "directory": "/workspaces/app", "env": {"A": "y"}}


def test_a_default_is_used_if_this_machine_has_no_such_variable() -> None:
    found = read({"image": "py", "remoteEnv": {"NOPE": "${localEnv:NOPE:1}", "C": "${localEnv:C:1}"}})
    assert (found.values["env"], found.values["pass_env"]) == ({"NOPE": "1"}, ["C"])


@pytest.mark.parametrize("name", ["B_TOKEN", "URL"])
def test_a_possible_secret_is_written_nowhere(name: str) -> None:
    (left,) = read({"image": "py", "remoteEnv": {"A": f"${{localEnv:{name}}}"}}).left_out
    assert left.advice == f"`{name}` of this machine may be a secret; `-e`, or `env` in .rdo.local.conf, sets it"


def test_a_value_that_only_the_container_knows_is_reported_as_such() -> None:
    (left,) = read({"image": "py", "remoteEnv": {"A": "${containerEnv:HOST}"}}).left_out
    assert left.advice == "`HOST` is known in the container only; have the Dockerfile set it"


def test_parts_of_a_build_that_have_no_key_are_left_out_by_name() -> None:
    arguments = {"A": "${localEnv:B_TOKEN}", "C": "${x}" * 30}
    found = read({"build": {"dockerfile": "Dockerfile", "cacheFrom": "x", "args": arguments}})
    assert [each.name for each in found.left_out] == ["build.args.A", "build.args.C", "build.cacheFrom"]


def test_a_context_outside_of_the_project_is_left_out() -> None:
    with pytest.raises(ValueError, match="it names no image, Dockerfile or compose file"):
        read({"build": {"context": "../.."}})


def test_a_long_value_is_shortened() -> None:
    (left,) = read({"image": "py", "remoteUser": "x " * 100}).left_out
    assert len(left.name) < 100


def test_commands_for_a_new_container_are_shown_to_be_typed() -> None:
    found = read(
        {
            "image": "py",
            "postStartCommand": ["a", "b c"],
            "postCreateCommand": {"x": "make && it's", "y": ["z"]},
            "onCreateCommand": 1,
            "updateContentCommand": " ",
        }
    )
    assert list(found.once) == ["rdo -c 'make && it'\"'\"'s'", "rdo z", "rdo a 'b c'"]


def test_the_compose_files_are_shown_in_the_command() -> None:
    data = {"dockerComposeFile": ["../compose.yaml", "dev.yaml"], "service": "app", "runServices": ["app", "db"]}
    assert read(data).first == "docker compose -f compose.yaml -f .devcontainer/dev.yaml up -d app db"
    assert (
        read({"dockerComposeFile": "../compose.yaml"}, compose_yaml="services: {a: }").first == "docker compose up -d"
    )


def test_a_number_or_a_boolean_is_kept_as_written() -> None:
    build = {"dockerfile": "Dockerfile", "args": {"N": 3}}
    found = read({"build": build, "containerEnv": {"A": 5, "B": True, "C": None}, "remoteEnv": {"D": 1.5}})
    assert found.values["env"] == {"A": "5", "B": "true", "D": "1.5"}
    assert found.values["build_args"] == {"N": "3"}
    assert [left.name for left in found.left_out] == ["containerEnv.C = null"]


def test_the_service_is_one_of_those_that_are_started() -> None:
    data = {"dockerComposeFile": "../compose.yaml", "service": "app", "runServices": ["db"]}
    services = "services: {app: , db: }"
    assert read(data, compose_yaml=services).first == "docker compose up -d db app"
    assert read({**data, "runServices": []}, compose_yaml=services).first == "docker compose up -d"


def test_services_can_be_chosen_if_none_is_named() -> None:
    found = read({"dockerComposeFile": "../c.yaml"}, c_yaml="services: {a: , b: }")
    assert found.choices == {"service": ["a", "b"]}


def test_a_command_that_is_left_out_says_what_to_type_for_it() -> None:
    found = read({"image": "py", "postCreateCommand": {"a": "npm ci", "b": ["make", "x y"]}, "onCreateCommand": 1})
    assert [left.advice for left in found.left_out] == [
        "",
        "run it once, `rdo -c 'npm ci'` and `rdo make 'x y'`, or have the Dockerfile do it",
    ]


def test_ports_have_their_own_key() -> None:
    found = read({"image": "py", "forwardPorts": [3000, "x"], "portsAttributes": {"3000": {"label": "app"}}})
    assert found.values["forward"] == ["3000"]
    assert found.remarks == {"forward": "3000 is app"}
    assert [left.name for left in found.left_out] == ["forwardPorts x"]


def test_published_ports_of_services_are_known_and_unreadable_files_ignored() -> None:
    data = {"dockerComposeFile": "../c.yaml", "service": "a"}
    assert read(data, c_yaml="services: {a: {ports: ['80:81']}}").published == {"a": ["80:81"]}
    assert read(data, c_yaml="{").published == {}
