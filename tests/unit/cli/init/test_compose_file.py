"""Tests for the services of a compose file, in any style."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from rdo.cli.init import compose_file

COMPOSE = """\
# services:
version: "3"
x-common: &common
  image: a

services:   # all of them
  web:
    image: nginx
    ports:
      - "80:80"
    environment:
      KEY:
  # db:
  "db":   # the database
    image: postgres
  worker: &worker

  other: {image: x}
volumes:
  data:
"""


def services(text: str, **others: str) -> list[str]:
    """The services of compose.yaml with this text, and of other files with theirs."""
    files = {"compose.yaml": text, **{name.replace("__", "/").replace("_", "."): each for name, each in others.items()}}
    return compose_file.services(["compose.yaml"], files.get)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(COMPOSE, ["web", "db", "worker", "other"], id="block"),
        pytest.param("services:\n    a:\n        b:\n    c:\n", ["a", "c"], id="nested"),
        pytest.param('{"services": {"a": {}, "b": {}}}', ["a", "b"], id="flow"),
        pytest.param("x: &x\n  image: a\nservices:\n  web: *x\n  db:\n    <<: *x\n", ["web", "db"], id="aliases"),
        pytest.param("x: &x\n  web: {}\nservices: *x\n", ["web"], id="all behind an alias"),
        pytest.param("x: &x\n  b: {}\nservices:\n  a: {}\n  <<: *x\n", ["a", "b"], id="merged"),
        pytest.param("x: &x {b: 1}\ny: &y {c: 1}\nservices:\n  <<: [*x, *y]\n", ["b", "c"], id="merged of two"),
        pytest.param("services:\n  a: !reset null\n  b: {}\n", ["b"], id="reset"),
        pytest.param("services: &s\n  a: {}\n  <<: *s\n", ["a"], id="a circle"),
        pytest.param("services: [a]\n", [], id="a list"),
        pytest.param("services:\n  [a]: 1\n", [], id="a key that is a list"),
        pytest.param("", [], id="empty"),
        pytest.param("volumes:\n  a:\n", [], id="none"),
    ],
)
def test_the_services_are_the_keys_one_level_below(text: str, expected: list[str]) -> None:
    assert services(text) == expected


def test_services_of_included_files_are_found() -> None:
    text = "include:\n  - db.yaml\n  - path: [sub/a.yaml, gone.yaml]\nservices: {web: {}}\n"
    sub = "include: [b.yaml]\nservices: {a: {}}\n"
    found = services(text, db_yaml="services: {db: {}}", sub__a_yaml=sub, sub__b_yaml="services: {b: {}}")
    assert found == ["web", "db", "a", "b"]


def test_an_include_cycle_ends() -> None:
    assert services("include: compose.yaml\nservices: {a: {}}\n") == ["a"]


def test_nested_merges_cost_no_more_than_their_text() -> None:
    lines = ["a0: &a0 {x: 1}", *(f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40))]
    begun = time.monotonic()
    assert services("\n".join([*lines, "services:\n  <<: *a39\n"])) == ["x"]
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: b: c", "`compose.yaml` is not valid YAML: line 1: mapping values are not allowed here"),
        ("[" * 500, "`compose.yaml` is nested too deeply"),
        ("a: \x01", "`compose.yaml` is not valid YAML: unacceptable character #x0001: special characters are not "),
    ],
)
def test_an_error_in_the_yaml_is_reported(text: str, why: str) -> None:
    with pytest.raises(ValueError, match="compose") as caught:
        services(text)
    assert str(caught.value).startswith(why)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, []),
        ({"compose.override.yml": ""}, []),
        ({"docker-compose.yaml": "", "compose.yml": ""}, ["compose.yml"]),
        ({"docker-compose.yml": "", "docker-compose.override.yml": ""}, None),
        ({".env": "A=1\nexport COMPOSE_FILE='a.yaml:b/c.yaml'\n", "compose.yaml": ""}, ["a.yaml", "b/c.yaml"]),
        ({".env": "COMPOSE_PATH_SEPARATOR=,\nCOMPOSE_FILE=a,b\n"}, ["a", "b"]),
    ],
)
def test_the_files_are_those_that_docker_compose_uses(files: Mapping[str, str], expected: list[str] | None) -> None:
    assert compose_file.found(files.get, {}) == (list(files) if expected is None else expected)


def test_the_environment_names_files_before_the_env_file_does() -> None:
    files = {".env": "COMPOSE_FILE=a", "compose.yaml": ""}
    assert compose_file.found(files.get, {"COMPOSE_FILE": "b:c"}) == ["b", "c"]
    assert compose_file.found(files.get, {"COMPOSE_PATH_SEPARATOR": ","}) == ["a"]


PUBLISHED = """\
x-ports: &ports ["1234"]
services:
  web:
    ports:
      - 8080:80
      - "9000"
      - {target: 81, published: "8081", protocol: tcp}
      - 53:53/udp
      - ${PORT}:82
  db: {ports: *ports}
  none: {}
"""


def test_each_published_port_of_a_service_is_a_word_over_all_files() -> None:
    more = {"compose.yaml": PUBLISHED, "dev.yaml": "services:\n  web:\n    ports: [8080:80, 7000:7000]\n"}
    found = compose_file.published(["compose.yaml", "dev.yaml"], more.get)
    assert found == {"web": ["8080:80", "9000", "8081:81", "7000"], "db": ["1234"]}
