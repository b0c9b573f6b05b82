"""Tests for the ports of a devcontainer.json as rdo's keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rdo.cli.init import devcontainer_ports


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param({"forwardPorts": [3000, "3001", "db:5432"]}, ["3000", "3001", "db:5432"], id="each form"),
        pytest.param({"forwardPorts": [3000, "3000", 3000]}, ["3000"], id="the same again"),
        pytest.param({"forwardPorts": ["localhost:80", "[::1]:81"]}, ["localhost:80", "[::1]:81"], id="addresses"),
        pytest.param({"appPort": 3000}, ["3000"], id="a published port"),
        pytest.param({"appPort": ["8000:80", "127.0.0.1:81:81/tcp"]}, ["8000:80", "81"], id="several published"),
        pytest.param({"forwardPorts": [80], "appPort": [80, 81]}, ["80", "81"], id="forwarded and published"),
        pytest.param({"forwardPorts": None, "portsAttributes": [], "otherPortsAttributes": 1}, [], id="nothing"),
        pytest.param(
            {"forwardPorts": [3000, 3001], "portsAttributes": {"3000": {"requireLocalPort": True}, "3001": {}}},
            ["3000!", "3001"],
            id="a port that must not move",
        ),
        pytest.param(
            {"forwardPorts": ["my-db:1"], "portsAttributes": {"my-db:1": {"requireLocalPort": True}}},
            ["my-db:1!"],
            id="of another host",
        ),
        pytest.param(
            {
                "forwardPorts": [3000, 3001, "db:3000"],
                "portsAttributes": {"3000-3009": {"requireLocalPort": True}, "3001": {"onAutoForward": "silent"}},
            },
            ["3000!", "3001", "db:3000"],
            id="a range, and a port of it that has its own",
        ),
        pytest.param(
            {"appPort": "8000:80", "portsAttributes": {"80": {"requireLocalPort": True}}},
            ["8000:80!"],
            id="by the port there",
        ),
    ],
)
def test_each_port_is_a_word_of_forward(data: dict[str, Any], words: list[str]) -> None:
    found = devcontainer_ports.read(data)
    assert (list(found.forward), list(found.left_out)) == (words, [])
    assert devcontainer_ports.of_file(json.dumps(data)) == found


@pytest.mark.parametrize(
    "word", [0, 70000, "x", "a:b", True, None, {}, "unix:/x", "1:2:3", "1:2", "80!", "0.0.0.0:1:2", ""]
)
def test_what_is_not_a_port_is_left_out_by_name(word: object) -> None:
    found = devcontainer_ports.read({"forwardPorts": [word, 3000]})
    assert list(found.forward) == ["3000"]
    assert [left.name for left in found.left_out] == [f"forwardPorts {word}"]


def test_a_port_that_cannot_be_forwarded_is_left_out_with_the_reason() -> None:
    (left,) = devcontainer_ports.read({"appPort": ["53:53/udp"]}).left_out
    assert left == ("appPort 53:53/udp", "rdo forwards TCP only")


def test_variables_are_expanded_first() -> None:
    found = devcontainer_ports.read({"forwardPorts": ["x"], "appPort": "x:2"}, lambda text: text.replace("x", "3"))
    assert list(found.forward) == ["3", "3:2"]


def test_labels_become_a_comment() -> None:
    attributes = {"3000": {"label": " the app "}, "db:1": {"label": 1}, "3001": {"label": "docs"}}
    found = devcontainer_ports.read({"forwardPorts": [3000, "db:1", 3001], "portsAttributes": attributes})
    assert found.remarks == {"forward": "3000 is the app, 3001 is docs"}


@pytest.mark.parametrize(
    ("attributes", "left_out"),
    [
        ({"onAutoForward": "openBrowser"}, [("onAutoForward", "`rdoctl open 80` opens it")]),
        ({"onAutoForward": "openPreview", "protocol": "https"}, [("protocol", "open https://localhost:80 yourself")]),
        ({"onAutoForward": "notify", "protocol": "http"}, []),
        (
            {"elevateIfNeeded": True},
            [
                (
                    "elevateIfNeeded",
                    "rdo does not ask for root's permissions; a port that is reserved for root is moved up by 8000",
                )
            ],
        ),
    ],
)
def test_the_editors_actions_on_a_port_are_left_out_with_advice(
    attributes: dict[str, Any], left_out: list[tuple[str, str]]
) -> None:
    found = devcontainer_ports.read({"forwardPorts": [80], "portsAttributes": {"80": attributes}})
    assert list(found.left_out) == [(f"portsAttributes.80.{name}", advice) for name, advice in left_out]


def test_privileges_for_a_port_that_needs_none_are_not_mentioned() -> None:
    data = {"forwardPorts": [3000], "portsAttributes": {"3000": {"elevateIfNeeded": True}}}
    assert list(devcontainer_ports.read(data).left_out) == []


@pytest.mark.parametrize(
    ("attributes", "others", "is_automatic", "left_out"),
    [
        ({}, {}, False, []),
        ({"80": {}}, {}, False, []),
        ({"3000": {"label": "x"}}, {}, True, []),
        ({"1-2": {"onAutoForward": "notify"}, ".+/server.js": {}}, {}, True, []),
        ({"3000": {"onAutoForward": "ignore"}}, {}, False, []),
        ({}, {"onAutoForward": "silent"}, True, []),
        ({}, {"onAutoForward": "ignore"}, False, []),
        ({"1": {}, "2": {"onAutoForward": "ignore"}}, {}, True, ["portsAttributes.2"]),
        ({"1": {}, "2": {"onAutoForward": "ignore"}}, {"onAutoForward": "ignore"}, False, ["portsAttributes.1"]),
    ],
)
def test_ports_that_an_editor_would_detect_are_for_auto_forward(
    attributes: dict[str, Any], others: dict[str, Any], is_automatic: bool, left_out: list[str]
) -> None:
    data = {"forwardPorts": [80], "portsAttributes": attributes, "otherPortsAttributes": others}
    found = devcontainer_ports.read(data)
    assert found.is_automatic == is_automatic
    assert found.values == {"forward": ["80"], **({"auto_forward": True} if is_automatic else {})}
    assert [left.name for left in found.left_out] == left_out


@pytest.mark.parametrize("text", ["", "{", "[]", "1"])
def test_a_file_that_is_not_json_is_ignored(text: str) -> None:
    found = devcontainer_ports.of_file(text)
    assert (found.values, list(found.left_out), dict(found.remarks)) == ({}, [], {})
