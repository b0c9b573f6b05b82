"""Tests for `rdoctl completion`: real shells on a terminal complete a container's name that contains a space."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import require
from tests.docker_engine import DockerEngine
from tests.e2e.project import Project, docker_project
from tests.e2e.terminal import Terminal

SHELLS = {
    "bash": (["bash", "--norc", "-i"], 'eval "$(rdoctl completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'autoload -Uz compinit; compinit -u -D; eval "$(rdoctl completion zsh)"'),
    "fish": (["fish", "--no-config", "-i"], "rdoctl completion fish | source"),
}


TYPED = ("cont", r"container\ rdo-t", '"cont', "'container rdo-t")
"""The begin of such a name, in each way to quote it."""


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str], docker_engine: DockerEngine) -> Iterator[Project]:
    """A project whose target is a container with a name."""
    with docker_engine.container(name="rdo-test-named") as name:
        yield docker_project(tmp_path, runtime, docker_engine, name)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_name_with_a_space_is_completed_as_one_word(project: Project, shell: str) -> None:
    if shutil.which(shell) is None:
        require(shell, "it is not installed")
    words, line = SHELLS[shell]
    with Terminal(words, project.local, {**project.environment, "PS1": "$ "}) as terminal:
        terminal.line(f'{line}; echo rea""dy')
        terminal.expect("ready")
        for typed in TYPED:
            assert project.run("--dir", "/", "true").returncode == 0
            terminal.type(f"rdoctl stop {typed}\t")
            terminal.expect("named")
            terminal.line("")
            terminal.expect("closed `container rdo-test-named`")
