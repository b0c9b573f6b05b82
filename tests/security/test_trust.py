"""Tests for another person's clone: where a setting is made decides whether it is trusted, and what is shown cannot
deceive.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from rdo.config.document import FILE_LIMIT
from rdo.config.names import NAME_LIMIT, PATH_LIMIT
from rdo.config.schema import KEYS
from tests.e2e.masters import report
from tests.e2e.project import Project, Result
from tests.e2e.terminal import Terminal

TRUE = 'map_args = true\nidle_timeout = "1h"\non_disconnect = "keep"\nconnect_timeout = 5\nmap_output = false\n'


def run(clone: Project, *words: str) -> Result:
    return clone.run(*(words or ("true",)), start_new_session=True)


def test_with_the_users_own_target_an_empty_config_needs_no_permission(clone: Project) -> None:
    assert run(clone).returncode == 0
    clone.configure(TRUE)
    assert run(clone).returncode == 0


@pytest.mark.usefixtures("lent")
@pytest.mark.parametrize("file", [".rdo.conf", ".rdo.local.conf"])
@pytest.mark.parametrize(
    "line",
    [
        'path = ["bin"]',
        'env = { BASH_ENV = "./evil" }',
        'env = { MINE = "2" }',
        "env.LD_PRELOAD = './evil.so'",
        "login = true",
        "use_sudo = true",
        'pass_env = ["*"]',
        "local_fallback = true",
        'directory = "/tmp"',
        'driver = "local"',
        "[default]\nlogin = true",
        '[default.env]\nENV = "./evil"',
    ],
)
def test_anything_else_that_a_file_of_the_clone_sets_has_to_be_allowed(clone: Project, file: str, line: str) -> None:
    (clone.remote / "bin").mkdir()
    (clone.remote / "bin" / "ls").write_text(f"#!/bin/sh\ntouch {clone.local.parent}/evil\n".replace(" p", r"\ p"))
    (clone.remote / "bin" / "ls").chmod(0o755)
    (clone.local / file).write_text(line + "\n")
    result = run(clone, "ls")
    assert result.returncode == 255
    assert b"is not allowed yet" in result.stderr
    assert not (clone.local.parent / "evil").exists()


@pytest.mark.parametrize("wish", ["0", '"366d"'])
def test_a_clone_sets_how_long_its_connection_is_kept_after_it_is_allowed(clone: Project, wish: str) -> None:
    clone.configure(f"login = true\nidle_timeout = {wish}\n")
    for _ in range(2):
        assert run(clone).returncode == 255
        assert report(clone)["targets"] == []
    assert clone.shell("rdoctl allow --yes").returncode == 0
    assert run(clone).returncode == 0
    assert [target["idle_timeout"] for target in report(clone)["targets"]] == [0 if wish == "0" else 366 * 86400]


def test_a_config_that_is_denied_again_is_refused_although_its_master_runs(clone: Project) -> None:
    clone.configure("login = true\n")
    assert clone.shell("rdoctl allow --yes").returncode == 0
    assert run(clone).returncode == 0
    assert clone.shell("rdoctl deny").returncode == 0
    assert run(clone).returncode == 255


def test_a_value_that_the_user_overrides_is_the_users(clone: Project) -> None:
    own = Path(clone.environment["XDG_CONFIG_HOME"], "rdo", "config.toml")
    own.write_text(own.read_text() + '[ci]\nlogin = false\nenv = { BASH_ENV = "" }\n')
    clone.configure('login = true\nenv = { BASH_ENV = "./evil" }\n')
    assert run(clone).returncode == 255
    assert run(clone, "-p", "ci", "true").returncode == 0


def test_an_error_about_a_path_of_four_thousand_letters_is_bounded_and_says_what_to_type(clone: Project) -> None:
    deep = "/".join(["z" * 250] * 14)
    line = f"mkdir -p {deep}; cp .rdo.conf {deep}; cd {deep}; rdo true"
    clone.configure('driver = "ssh"\nhost = "evil.example"\ndirectory = "/x"\n')
    result = clone.shell(line, start_new_session=True)
    assert result.stderr.decode().endswith("; type `rdoctl allow`\n")
    assert len(result.stderr) < 2500
    assert b" more characters) ..." in result.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
@pytest.mark.parametrize("bypass", ["", "1"])
def test_no_terminal_and_no_variable_accepts_another_users_file(clone: Project, bypass: str) -> None:
    clone.configure("login = true\n")
    os.chown(clone.local / ".rdo.conf", 54321, -1)
    result = clone.run("true", env={"RDO_TRUST": bypass}, start_new_session=True)
    assert result.returncode == 255
    assert b"belongs to another user (uid 54321)" in result.stderr


def test_what_was_typed_or_pasted_before_the_question_is_not_an_answer(clone: Project) -> None:
    clone.configure("login = true\n")
    with Terminal(["bash", "--norc", "-i"], clone.local, {**clone.environment, "PS1": "$ "}) as terminal:
        terminal.prompt()
        terminal.line("sleep 1; rdo true; echo status $?")
        terminal.line("yes")
        terminal.expect("Type `yes`: ")
        terminal.line("no")
        terminal.expect("status 255")


def test_names_in_files_that_init_reads_cannot_control_the_terminal(clone: Project) -> None:
    """A YAML file may contain any character in escaped form."""
    (clone.local / ".rdo.conf").unlink()
    evil = '"\\e[2Jevil\\nrdo: all is well"'
    (clone.local / "compose.yaml").write_text(f'services:\n  {evil}: {{image: x}}\n  "w\\u3164eb": {{image: y}}\n')
    with Terminal(["rdoctl", "init"], clone.local, clone.environment) as terminal:
        first = terminal.expect("service to run in")
        terminal.expect(": ")
        terminal.line("nonsense")
        again = terminal.expect("service to run in")
        terminal.expect(": ")
        terminal.line("w\u3164eb")
        refused = terminal.expect("which is invisible")
    for shown in (first, again, refused.replace("w\u3164eb\r\n", "")):  # except what was typed
        assert "\x1b" not in shown
        assert "\nrdo:" not in shown
        assert "\u3164" not in shown


def test_security_md_lists_the_free_keys_and_the_limits() -> None:
    text = " ".join((Path(__file__).parents[2] / "SECURITY.md").read_text().split())
    free = [f"`{name}`" for name, key in KEYS.items() if not key.guarded]
    assert set(
        re.findall(
            "`[a-z_]+`",
            text.partition("may set without permission are")[2].partition("because")[0],
        )
    ) == set(free)
    assert f"Names have at most {NAME_LIMIT} characters, paths {PATH_LIMIT:,}" in text
    assert f"for a config file, that is {FILE_LIMIT // 1024} KiB" in text
    assert "To report a vulnerability" in text


def test_init_allows_no_file_of_a_clone_to_pass_on_the_users_variables(clone: Project) -> None:
    (clone.local / ".rdo.conf").unlink()
    wanted = '{"image": "evil", "remoteEnv": {"AWS_SECRET": "${localEnv:AWS_SECRET}"}}'
    (clone.local / ".devcontainer.json").write_text(wanted)
    made = clone.shell("rdoctl init --driver docker", start_new_session=True)
    assert b"pass_env AWS_SECRET" in made.stdout
    assert b"\n  rdoctl allow\n" in made.stdout
    assert b"is not allowed yet" in run(clone).stderr
