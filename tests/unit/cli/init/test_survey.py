"""Tests for what the files in a directory suggest as its target, from their text alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from rdo.cli.init import survey
from rdo.cli.init.template import Suggestion

COMPOSE = "services:\n  web:\n    image: nginx\n"


def look(directory: Path, files: Mapping[str, str]) -> survey.Survey:
    """The survey of a directory with these files."""
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return survey.look(str(directory), {"HOME": str(directory / "home")})


def only(found: survey.Survey) -> Suggestion:
    (suggestion,) = found.suggestions
    return suggestion


def test_a_devcontainer_beats_a_compose_file_which_beats_a_dockerfile(tmp_path: Path) -> None:
    files = {"Dockerfile": "FROM x"}
    assert only(look(tmp_path, files)).because == "Dockerfile"
    assert only(look(tmp_path, files | {"compose.yaml": COMPOSE})).because == "compose.yaml"
    found = look(tmp_path, files | {"compose.yaml": COMPOSE, ".devcontainer.json": '{"image": "py"}'})
    assert only(found).because == ".devcontainer.json"


@pytest.mark.parametrize(
    "name",
    ["Dockerfile.dev", "dev.Dockerfile", "Dockerfile.ci", "app.dockerfile", "Containerfile.x", "docker/Dockerfile",
     "docker/Dockerfile.dev", ".devcontainer/Dockerfile"],
)  # fmt: skip
def test_a_lone_dockerfile_of_another_name_or_place_is_built_with_the_project_as_its_context(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    found = only(look(tmp_path, {name: "FROM x\nWORKDIR /w\n"}))
    assert (found.because, found.values) == (name, {"build": ".", "dockerfile": name, "directory": "/w"})


def test_of_several_dockerfiles_only_one_with_the_usual_name_is_used(tmp_path: Path) -> None:
    files = {"Dockerfile.a": "FROM x\n", "Dockerfile.b": "FROM x\n", "Dockerfile.dockerignore": ""}
    assert list(look(tmp_path, files).suggestions) == []
    assert only(look(tmp_path, {"Dockerfile.dev": "FROM x\n"})).because == "Dockerfile.dev"
    assert only(look(tmp_path, {"Dockerfile": "FROM x\n"})).because == "Dockerfile"


def test_a_dockerfile_is_built_and_its_last_workdir_is_the_directory(tmp_path: Path) -> None:
    found = only(look(tmp_path, {"Dockerfile": "FROM x\nWORKDIR /one\nWORKDIR $HOME\nworkdir /two\n"}))
    assert found.values == {"build": ".", "directory": "/two"}


def test_a_containerfile_is_named(tmp_path: Path) -> None:
    assert only(look(tmp_path, {"Containerfile": "FROM x\n"})).values == {"build": ".", "dockerfile": "Containerfile"}


@pytest.mark.parametrize("text", ["{", "[]", '{"features": {}}', "[" * 100_000, '{"image": 1}', '{"image": "-x"}', ""])
def test_a_devcontainer_without_a_target_is_named_and_other_files_are_used(tmp_path: Path, text: str) -> None:
    found = look(tmp_path, {".devcontainer.json": text, "Dockerfile": "FROM x\n"})
    assert only(found).because == "Dockerfile"
    assert [left.name for left in found.unusable] == [".devcontainer.json"]


@pytest.mark.parametrize("text", ["services: {}\n", "", "services:\n\t- x", "a: {" * 5_000, "- 1\n", "\x00"])
def test_a_compose_file_without_a_service_is_named_and_the_dockerfile_used(tmp_path: Path, text: str) -> None:
    found = look(tmp_path, {"compose.yaml": text, "Dockerfile": "FROM x\n"})
    assert only(found).because == "Dockerfile"
    assert [left.name for left in found.unusable] == ["compose.yaml"]


def test_each_of_several_devcontainers_can_be_chosen(tmp_path: Path) -> None:
    files = {f".devcontainer/{name}/devcontainer.json": json.dumps({"image": name}) for name in ("b", "a")}
    found = look(tmp_path, files)
    assert [each.values["image"] for each in found.suggestions] == ["a", "b"]
    found = look(tmp_path, files | {".devcontainer/devcontainer.json": '{"image": "c"}'})
    assert only(found).values["image"] == "c"


def test_machines_that_only_vagrant_can_compute_are_reported_as_left_out(tmp_path: Path) -> None:
    found = only(look(tmp_path, {"Vagrantfile": 'c.vm.define "n#{i}" do |n|\n'}))
    assert (found.driver, dict(found.values), dict(found.choices)) == ("vagrant", {}, {})
    assert [left.name for left in found.left_out] == ["machine names that are computed"]


@pytest.mark.parametrize("name", ["Vagrantfile", "vagrantfile"])
def test_a_vagrantfile_is_found_by_either_name(tmp_path: Path, name: str) -> None:
    assert only(look(tmp_path, {name: ""})).because == name


def test_an_unreadable_directory_or_file_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "Vagrantfile").mkdir()
    (tmp_path / ".devcontainer").write_text("")
    (tmp_path / "compose.yaml").symlink_to("nowhere")
    assert survey.look(str(tmp_path), {}) == survey.Survey([], [])


PUBLISHED = {"compose.yaml": "services:\n  web:\n    ports: ['8080:80']\n"}


@pytest.mark.parametrize(
    ("host", "published"),
    [("", {}), ("unix:///nowhere", {}), ("ssh://box", {"web": ["8080:80"]}), ("tcp://box", {"web": ["8080:80"]}),
     ("?://", {})],
)  # fmt: skip
@pytest.mark.parametrize(
    "more", [{}, {".devcontainer.json": '{"dockerComposeFile": "compose.yaml", "service": "web"}'}]
)
def test_published_ports_are_suggested_if_the_engine_is_on_another_machine(
    tmp_path: Path, host: str, published: dict[str, list[str]], more: dict[str, str]
) -> None:
    for name, text in {**PUBLISHED, **more}.items():
        (tmp_path / name).write_text(text)
    found = survey.look(str(tmp_path), {"HOME": str(tmp_path / "home"), "DOCKER_HOST": host})
    assert only(found).published == published


@pytest.mark.parametrize(
    ("encoding", "why"),
    [
        ("latin-1", "byte 0xdc in line 2"),
        ("utf-16", "byte 0xff in line 1"),
        ("utf-16-le", "byte 0xdc in line 2"),
    ],
)
@pytest.mark.parametrize(
    ("name", "text"),
    [(".devcontainer.json", '{"image":\n"Über"}'), ("compose.yaml", "services:\n Über: {}\n")],
    ids=["devcontainer", "compose"],
)
def test_a_file_of_another_encoding_is_named(tmp_path: Path, name: str, text: str, encoding: str, why: str) -> None:
    (tmp_path / name).write_bytes(text.encode(encoding))
    found = survey.look(str(tmp_path), {"HOME": str(tmp_path / "home")})
    assert (found.suggestions, [each.name for each in found.unusable]) == ([], [name])
    assert found.unusable[0].advice == f"`{name}` is not UTF-8: {why}; save it as UTF-8"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_is_copied_unchanged(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "compose.yaml").write_bytes("services:\n Über: {}\n".encode(encoding))
    assert only(survey.look(str(tmp_path), {"HOME": str(tmp_path / "home")})).choices == {"service": ["Über"]}


def test_ascii_in_utf16_without_a_mark_is_named_too(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_bytes("services:\n web: {}\n".encode("utf-16-le"))
    (unusable,) = survey.look(str(tmp_path), {"HOME": str(tmp_path / "home")}).unusable
    assert unusable.advice == "`compose.yaml` is not UTF-8: it contains NUL; save it as UTF-8"
