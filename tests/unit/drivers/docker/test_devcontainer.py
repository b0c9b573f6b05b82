"""Tests for reading the labels of a dev container."""

from __future__ import annotations

import json

import pytest

from rdo.drivers.docker import devcontainer
from rdo.drivers.docker.inspect import ContainerState, InspectedContainer, ListedContainer
from rdo.drivers.root import Root
from rdo.errors import ConnectError

APP = "/home/me/app"
ROOTS = [Root(APP, "/workspaces/app")]


def listed(name: str, directory: str) -> ListedContainer:
    return ListedContainer(name, name, "", {devcontainer.LOCAL_FOLDER: directory}, "running")


@pytest.mark.parametrize(
    ("directories", "found"),
    [
        ([APP, "/home/me"], ["0"]),
        (["/home/me", "/home"], ["0"]),
        ([f"{APP}/", APP], ["0", "1"]),
        ([f"{APP}2", f"{APP}/src", "", "app"], []),
    ],
)
def test_a_container_belongs_to_its_directory_and_those_below(directories: list[str], found: list[str]) -> None:
    listing = [listed(str(number), directory) for number, directory in enumerate(directories)]
    assert [each.name for each in devcontainer.candidates(listing, APP, lambda path: path)] == found


def test_a_link_to_the_directory_also_finds_it() -> None:
    found = devcontainer.candidates([listed("a", "/link")], APP, lambda path: APP if path == "/link" else path)
    assert [each.name for each in found] == ["a"]


def test_a_label_of_the_image_is_ignored() -> None:
    container = listed("a", APP)
    assert devcontainer.without_image_label(container, {devcontainer.LOCAL_FOLDER: "/x"}) == container
    assert devcontainer.without_image_label(container, {devcontainer.LOCAL_FOLDER: APP}).labels == {}


def facts(metadata: object, brought: object = None, *env: str) -> devcontainer.DevContainerFacts:
    labels = {devcontainer.METADATA: json.dumps(metadata), devcontainer.LOCAL_FOLDER: APP}
    state = ContainerState("running", True, False, False, 0, "", "")
    container = InspectedContainer("0", "a", "", labels, (), "/", state, env)
    image = {devcontainer.METADATA: json.dumps(brought)} if brought else {}
    return devcontainer.facts(container, image)


@pytest.mark.parametrize(
    ("metadata", "user"),
    [
        ([], ""),
        ({"remoteUser": "vscode"}, "vscode"),
        ([{"remoteUser": "a"}, {"remoteUser": "b"}, {}], "b"),
        ([{"remoteUser": "a"}, {"containerUser": "b"}], "a"),
        ([{"containerUser": "b"}], "b"),
    ],
)
def test_the_user_is_the_last_one_that_is_named(metadata: object, user: str) -> None:
    assert facts(metadata).user == user


@pytest.mark.parametrize(
    ("value", "comes_to"),
    [
        ("plain", "plain"),
        ("${localEnv:MINE}", "secret"),
        ("${env:MINE}", "secret"),
        ("${localEnv:NOPE}", ""),
        ("${localEnv:NOPE:a b}", "a b"),
        ("${containerEnv:IN}/x", "there/x"),
        ("${containerEnv:PATH}:/x", f"{devcontainer.USUAL_PATH}:/x"),
        ("${localWorkspaceFolder}", APP),
        ("${localWorkspaceFolderBasename}", "app"),
        ("${containerWorkspaceFolder}", "/workspaces/app"),
        ("${devcontainerId}", devcontainer.identity(APP, "")),
        ("${odd}", "${odd}"),
        ("$MINE ${", "$MINE ${"),
    ],
)
def test_variables_are_expanded(value: str, comes_to: str) -> None:
    known = facts([{"remoteEnv": {"A": value}}], None, "IN=there", "odd")
    assert devcontainer.variables(known, {"MINE": "secret"}, ROOTS) == {"A": comes_to}


def test_later_parts_take_precedence_and_null_removes() -> None:
    known = facts([{"remoteEnv": {"A": "1", "B": "1", "a b": "1"}}, {"remoteEnv": {"A": "2", "B": None}}, {}])
    assert devcontainer.variables(known, {}, []) == {"A": "2"}


def test_values_from_the_image_get_no_variables_of_this_machine() -> None:
    brought = [{"remoteEnv": {"A": "${localEnv:MINE}", "B": "${localEnv:MINE}"}}]
    known = facts([*brought, {"remoteEnv": {"B": "mine: ${localEnv:MINE}"}}], brought)
    assert devcontainer.variables(known, {"MINE": "secret"}, []) == {"A": "", "B": "mine: secret"}


@pytest.mark.parametrize("metadata", ["x", [7], [{"remoteUser": 7}], [{"remoteEnv": []}], [{"remoteEnv": {"A": []}}]])
def test_an_invalid_label_is_named(metadata: object) -> None:
    words = r"^cannot use the label `devcontainer.metadata` of `\S+`: .+; re-create the container, or name it "
    with pytest.raises(ConnectError, match=words):
        facts(metadata)


def test_a_number_or_a_boolean_is_kept_as_written() -> None:
    known = facts([{"remoteEnv": {"A": 3000, "B": 1.5, "C": 2.0, "D": True, "E": False}}])
    assert dict(known.variables) == {"A": "3000", "B": "1.5", "C": "2", "D": "true", "E": "false"}
