"""Tests for `rdoctl completion` with real shells."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.project import Project, local_project
from tests.e2e.terminal import Terminal
from tests.ssh_server import free_port

BASH = """\
eval "$(rdoctl completion bash)"
COMP_WORDS=({words}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
{function} {program} "${{COMP_WORDS[COMP_CWORD]}}" ""
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project with two profiles, a directory and a file."""
    project = local_project(tmp_path, runtime, "[other]\n[other.env]\nA = 'b'\n")
    (project.local / "a file").touch()
    return project


def bash(project: Project, *words: str) -> list[str]:
    """What bash offers for the last of the words, as it splits them."""
    function = {"rdo": "_rdo_complete", "rdoctl": "_rdoctl_completion"}[words[0]]
    text = BASH.format(words=shlex.join(words), function=function, program=words[0])
    result = project.shell(text)
    assert result.stderr == b""
    return sorted(set(result.stdout.decode().split("\n")) - {""})


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["rdo", "--prof"], ["--profile"]),
        (["rdo", "-p", ""], ["default", "other"]),
        (["rdo", "--profile", "=", "o"], ["other"]),
        (["rdo", "--profile", "="], ["default", "other"]),
        (["rdo", "-C", "s"], ["src"]),
        (["rdo", "--project", "s"], ["src"]),
        (["rdo", "-e", "XDG_RUNTIME"], ["XDG_RUNTIME_DIR"]),
        (["rdo", "mkfif"], ["mkfifo"]),
        (["rdo", "-p", "other", "-e", "A", "=", "1", "--no-map", "mkfif"], ["mkfifo"]),
        (["rdo", "--", "mkfif"], ["mkfifo"]),
        (["rdo", "ls", "a"], ["a file"]),
        (["rdo", "ls", "--p"], []),
        (["rdo", "-c", "--p"], []),
        (["rdoctl", "st"], ["status", "stop"]),
        (["rdoctl", "stop", "--n"], ["--now"]),
        (["rdoctl", "completion", "z"], ["zsh"]),
    ],
)
def test_bash_completes_options_and_then_the_command(project: Project, words: list[str], expected: list[str]) -> None:
    assert bash(project, *words) == expected


def test_bash_offers_the_hosts_of_the_ssh_configuration(project: Project, tmp_path: Path) -> None:
    (tmp_path / "ssh_config").write_text("Host devbox gate dev*\n")
    project = replace(project, environment={**project.environment, "RDO_SSH_CONFIG": str(tmp_path / "ssh_config")})
    assert bash(project, "rdoctl", "init", "--host", "d") == ["devbox"]


def test_held_targets_are_offered_and_nothing_is_started_for_that(project: Project) -> None:
    asked = (("stop", ""), ("open", ""), ("forward", "remove", ""), ("forward", "add", "--target", ""))
    assert [bash(project, "rdoctl", *words) for words in asked] == [[], [], [], []]
    assert project.shell("rdoctl status").stdout == b"no connection is open; the next `rdo` opens one\n"
    assert project.run("true").returncode == 0
    port = str(free_port())
    assert project.shell(f"rdoctl forward add {port}:localhost:1").returncode == 0
    expected = [["local"], [port], [port], ["local"]]
    assert [bash(project, "rdoctl", *words) for words in asked] == expected
    assert bash(project, "rdoctl", "stop", "no") == bash(project, "rdoctl", "stop", "local", "") == []
    for words in (("stop", "-p"), ("deny", "--profile"), ("doctor", "-p"), ("sync", "status", "-p")):
        assert bash(project, "rdoctl", *words, "o") == ["other"], words
    project.shell("rdoctl stop --all")


def test_bash_offers_every_option_of_rdo(project: Project) -> None:
    offered = bash(project, "rdo", "-")
    assert {"-p", "--profile", "-c", "-C", "--dir", "--no-map", "-t", "-T", "--help"} < set(offered)


def test_bash_leaves_the_command_to_the_bash_completion_package_if_installed(project: Project) -> None:
    text = BASH.format(words="rdo -p other git sta", function="_rdo_complete", program="rdo")
    result = project.shell('_command_offset() { COMPREPLY=("at $1"); }\n' + text)
    assert result.stdout == b"at 3\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rdo --prof", ["--profile"]),
        ("rdo -p ", ["default", "other"]),
        ("rdo --profile=o", ["--profile=other"]),
        ("rdo mkfif", ["mkfifo"]),
        ("rdo -p other -e A=1 --dir x mkfif", ["mkfifo"]),
        ("rdo -- mkfif", ["mkfifo"]),
        ("rdo ls a", ["a file"]),
        ("rdoctl sto", ["stop"]),
    ],
)
def test_fish_completes_options_and_then_the_command(project: Project, line: str, expected: list[str]) -> None:
    if shutil.which("fish") is None:
        require("fish", "it is not installed")
    script = f"rdoctl completion fish | source; complete -C '{line}'"
    result = project.shell(f"fish -c {shlex.quote(script)}")
    assert result.stderr == b""
    assert [offer.split("\t")[0] for offer in result.stdout.decode().splitlines()] == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_script_has_valid_syntax(project: Project, shell: str) -> None:
    if shutil.which(shell) is None:
        require(shell, "it is not installed")
    result = project.shell(f"rdoctl completion {shell} >script && {shell} -n script")
    assert (result.returncode, result.stderr) == (0, b"")


def test_zsh_offers_words_in_order_and_no_empty_descriptions(project: Project) -> None:
    if shutil.which("zsh") is None:
        require("zsh", "it is not installed")
    with Terminal(["zsh", "-f", "-i"], project.local, {**project.environment, "PS1": "$ "}) as terminal:
        terminal.line('autoload -Uz compinit; compinit -u -D; eval "$(rdoctl completion zsh)"; echo rea""dy')
        terminal.expect("ready")
        terminal.type("rdoctl init --driver \t")
        assert terminal.match(r"ssh +vagrant +docker +local")


def test_profiles_are_also_listed_from_invalid_files_and_not_without_a_file(project: Project) -> None:
    project.configure("driver =\n[one]\n[ 'two' ]\n[env]\nA = '1'\n[three.env]\n")
    (project.local / ".rdo.local.conf").write_text("[mine]\n")
    assert project.shell("rdoctl completion --profiles").stdout.split() == [
        b"default",
        b"one",
        b"two",
        b"three",
        b"mine",
    ]
    assert project.shell("cd / && rdoctl completion --profiles").stdout == b""
