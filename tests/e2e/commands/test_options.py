"""Tests for options, and for the keys of the config with the same effect."""

from __future__ import annotations

import os
import subprocess
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.project import TIMEOUT, Project, ssh_config_text
from tests.e2e.reached import token
from tests.leaks import wait_until


def test_the_command_runs_in_the_matching_directory(project: Project) -> None:
    assert project.run("pwd").stdout.decode() == f"{project.remote}\n"
    assert project.run("pwd", cwd="src").stdout.decode() == f"{project.remote}/src\n"
    assert project.run("-C", "src", "pwd").stdout.decode() == f"{project.remote}/src\n"
    assert project.run("-C", "src", "-C", "..", "pwd").stdout.decode() == f"{project.remote}\n"


def test_a_directory_reached_through_a_link_is_mapped(project: Project, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project.local)
    result = project.run("pwd", cwd=str(tmp_path / "link" / "src"), env={"PWD": str(tmp_path / "link" / "src")})
    assert result.stdout.decode() == f"{project.remote}/src\n"


def test_a_link_that_leads_out_of_the_project_is_mapped_by_name_only(project: Project, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (project.local / "out").symlink_to(tmp_path / "elsewhere")
    (project.remote / "out").mkdir()
    named = project.run("pwd", cwd="out", env={"PWD": str(project.local / "out")})
    assert named.stdout.decode() == f"{project.remote}/out\n"
    lost = project.run("pwd", cwd="out", env={"PWD": ""})
    assert (lost.returncode, lost.stderr.count(b"\n")) == (255, 1)


def test_dir_names_the_remote_directory(project: Project, tmp_path: Path) -> None:
    assert project.run("--dir", str(tmp_path), "pwd").stdout.decode() == f"{tmp_path}\n"
    home = project.run("--dir", ".", "pwd").stdout.decode().strip()
    assert home == os.path.expanduser("~")
    assert project.run("--dir", "~", "pwd").stdout.decode().strip() == home
    lost = project.run("--dir", "~/no such", "true")
    assert lost.stderr.decode() == (
        "rdo: cannot enter the directory `no such` on `devbox`; "
        "if it is missing, `rdo --dir . mkdir -p 'no such'` creates it\n"
    )


def test_directory_may_be_omitted_if_dir_is_given(configured: Project) -> None:
    configured.configure('driver = "ssh"\nhost = "devbox"\n')
    assert configured.run("--dir", "/", "pwd").stdout == b"/\n"
    result = configured.run("true")
    assert result.returncode == 255
    assert b"sets no `directory`" in result.stderr


def test_e_sets_a_variable_or_passes_the_caller_s(project: Project) -> None:
    script = 'echo "$ONE,$TWO,${THREE-unset},$FOUR"'
    words = ["-e", "ONE=1 '\"$x", "-e", "TWO", "-e", "THREE", "--env=FOUR=4\n4", "sh", "-c", script]
    assert project.run(*words, env={"TWO": "two"}).stdout == b"1 '\"$x,two,unset,4\n4\n"


def test_nothing_of_the_environment_is_passed_by_default(anywhere: Project) -> None:
    given = {"SECRET": "sesame-7719", "AWS_TOKEN": "sesame-7719", "LC_SECRET": "sesame-7719"}
    for words in (["env"], ["-t", "env"]):
        result = anywhere.run(*words, env=given)
        assert b"PATH=" in result.stdout
        assert b"sesame" not in result.stdout


def test_env_and_pass_env_and_path_of_the_config_reach_the_command(configured: Project) -> None:
    extra = 'pass_env = ["MY_*"]\npath = ["bin"]\n[env]\nSTAGE = "it\'s $HOME"\n'
    configured.configure(ssh_config_text(configured, extra))
    (configured.remote / "bin").mkdir()
    tool = configured.remote / "bin" / "tool"
    tool.write_text('#!/bin/sh\necho "$STAGE,$MY_A,${OTHER-unset}"\n')
    tool.chmod(0o755)
    assert configured.run("tool", env={"MY_A": "a", "OTHER": "o"}).stdout == b"it's $HOME,a,unset\n"
    assert configured.run("-e", "STAGE=x", "tool", cwd="src").stdout == b"x,,unset\n"


def test_no_value_of_a_variable_is_ever_visible_in_an_argument_list(own_anywhere: Project) -> None:
    """Neither here nor on the target, whose processes are on this machine. They are checked continuously, for cold and
    warm commands.
    """
    secret = f"sesame-{token()}"
    given = {"TOKEN": secret, "OTHER": f"{secret}-too"}
    here = replace(own_anywhere, environment={**own_anywhere.environment, **given})
    with open(own_anywhere.local / ".rdo.conf", "a") as config:
        config.write('pass_env = ["TOKEN"]\n')
    seen: list[bytes] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            seen.append(subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True).stdout)

    def is_in_one_of(line: bytes, since: int) -> bool:
        return any(line in listing for listing in seen[since:])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(5):
            with here.start("-e", "OTHER", "sh", "-c", "read x; echo $TOKEN,$OTHER; exit") as command:
                assert wait_until(partial(is_in_one_of, b"\nsh -c read x; echo $TOKEN", len(seen)), TIMEOUT)
                assert command.communicate(b"\n")[0] == f"{secret},{secret}-too\n".encode()
    finally:
        over.set()
        watcher.join()
    assert not {line for listing in seen for line in listing.splitlines() if secret.encode() in line}


def test_another_profile_is_chosen_by_option_or_environment(configured: Project) -> None:
    configured.configure(ssh_config_text(configured, '[up]\nenv = { WHO = "up" }\n'))
    words = ["sh", "-c", "echo ${WHO-none}"]
    assert configured.run(*words).stdout == b"none\n"
    assert configured.run("-p", "up", *words).stdout == b"up\n"
    assert configured.run("--profile=up", *words).stdout == b"up\n"
    assert configured.run(*words, env={"RDO_PROFILE": "up"}).stdout == b"up\n"
    assert configured.run(*words, env={"RDO_ENV": "up"}).stdout == b"up\n"


def test_login_starts_the_target_s_login_shell_first(configured: Project) -> None:
    configured.configure(ssh_config_text(configured, "login = true\n"))
    result = configured.run("sh", "-c", "echo ${RDO_BOOT-gone}; cat; exit 6", input=b"in")
    assert (result.stdout, result.stderr, result.returncode) == (b"gone\nin", b"", 6)


def test_v_prints_the_steps_on_stderr_and_nothing_on_stdout(own: Project) -> None:
    result = own.run("-v", "echo", "x")
    assert result.stdout == b"x\n"
    lines = [line.split(maxsplit=3) for line in result.stderr.decode().splitlines()]  # rdo: 12.3 ms  step
    steps = {step: float(after) for _, after, unit, step in lines if unit == "ms"}
    assert list(steps)[:2] == ["client start", "control master"]  # the first command starts it
    assert list(steps)[-3:] == ["shell", "first byte", "end"]
    assert list(steps.values()) == sorted(steps.values())


@pytest.mark.skipif(os.getuid() != 0, reason="sudo must ask nothing")
def test_s_runs_the_command_with_sudo_with_its_variables_and_signals(configured: Project, tmp_path: Path) -> None:
    fake = tmp_path / "bin"
    fake.mkdir()
    sudo = fake / "sudo"
    sudo.write_text('#!/bin/sh\necho "sudo $*" >> "$0.log"\nwhile [ "$1" != -- ]; do shift; done; shift; exec "$@"\n')
    sudo.chmod(0o755)
    configured.configure(ssh_config_text(configured, f'path = ["{fake}"]\nuse_sudo = true\n'))
    assert configured.run("-e", "TOKEN=secret", "sh", "-c", "echo $TOKEN").stdout == b"secret\n"
    logged = (fake / "sudo.log").read_text()
    assert "--preserve-env=TOKEN" in logged
    assert "secret" not in logged
    assert configured.run("-u", "www-data:1000", "echo", "up").stdout == b"up\n"
    assert "sudo -u www-data -g #1000 " in (fake / "sudo.log").read_text()
    found = configured.run("-u", "-oops", "true")
    assert (found.returncode, found.stderr) == (
        255,
        b"rdo: `-oops` is not a valid user name: it begins with `-`; name a user of the target\n",
    )
