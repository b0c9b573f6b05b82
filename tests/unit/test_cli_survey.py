"""What a folder's own files say of its target: seen from their text alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdo.cli import survey

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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (COMPOSE, ["web", "db", "worker", "other"]),
        ("services:\n    a:\n        b:\n    c:\n", ["a", "c"]),
        ("services: {}\n", []),
        ("", []),
        ("volumes:\n  a:\n", []),
    ],
)
def test_the_services_of_a_compose_file_are_the_keys_one_level_below(text: str, expected: list[str]) -> None:
    assert survey.services(text) == expected


def test_the_machines_of_a_vagrantfile_are_those_it_defines_by_name() -> None:
    text = 'config.vm.define "web", primary: true do |web|\n  # config.vm.define "old"\nc.vm.define :db do\nend\n'
    assert survey.machines(text) == ["web", "db"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (
            '{"image": "py", "workspaceFolder": "/w/${localWorkspaceFolderBasename}"}',
            {"image": "py", "directory": "/w/F"},
        ),
        ('{"dockerComposeFile": "c.yml", "service": "app", "remoteUser": "me"}', {"service": "app", "user": "me"}),
        ('{"image": "py", "workspaceFolder": "${localEnv:X}"}', {"image": "py"}),
    ],
)
def test_a_devcontainer_names_a_service_or_an_image(tmp_path: Path, text: str, values: dict[str, str]) -> None:
    folder = tmp_path / "F"
    (folder / ".devcontainer").mkdir(parents=True)
    (folder / ".devcontainer/devcontainer.json").write_text(text)
    (suggestion,) = survey.look(str(folder))
    assert (suggestion.driver, dict(suggestion.values)) == ("docker", values)


@pytest.mark.parametrize("text", ["{", "[]", '{"build": {"dockerfile": "Dockerfile"}}', "[" * 100_000, '{"image": 1}'])
def test_a_devcontainer_that_tells_nothing_leaves_it_to_the_other_files(tmp_path: Path, text: str) -> None:
    (tmp_path / ".devcontainer.json").write_text(text)
    (tmp_path / "Dockerfile").write_text("FROM x\nWORKDIR /one\nWORKDIR $HOME\nworkdir /two\n")
    (suggestion,) = survey.look(str(tmp_path))
    assert (suggestion.because, dict(suggestion.values)) == ("Dockerfile", {"directory": "/two"})


def test_a_folder_or_a_file_that_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "Vagrantfile").mkdir()
    (tmp_path / "compose.yaml").symlink_to("nowhere")
    assert survey.look(str(tmp_path)) == []
