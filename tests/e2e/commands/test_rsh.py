"""Tests for `rdo-rsh` as rsync, git and Ansible call it, over the held connection."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import require
from tests.docker_engine import DockerEngine
from tests.e2e.project import TIMEOUT, Project, Result, local_project, make_project, ssh_config_text
from tests.e2e.terminal import Terminal
from tests.sshd import Sshd

ME = pwd.getpwuid(os.geteuid()).pw_name

ANSIBLE = [
    "-C", "-o", "ControlMaster=auto", "-o", "ControlPersist=60s", "-o", "StrictHostKeyChecking=no",
    "-o", "KbdInteractiveAuthentication=no", "-o", "PasswordAuthentication=no", "-o", f'User="{ME}"',
    "-o", "ConnectTimeout=10", "-o", 'ControlPath="/home/me/.ansible/cp/ccdf2acfb8"',
]  # fmt: skip


def rsh(project: Project, *words: str, cwd: str = ".", **more: Any) -> Result:
    """Run `rdo-rsh`, by default without input."""
    command = [str(project.command()[0]) + "-rsh", *words]
    more = {"cwd": project.local / cwd, "env": dict(project.environment), **more}
    if "input" not in more:
        more["stdin"] = subprocess.DEVNULL
    return subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False, **more)


def login_directory(project: Project) -> str:
    return project.run("--dir", ".", "pwd").stdout.decode().strip()


def test_the_arguments_are_a_shell_string_in_the_login_directory(project: Project) -> None:
    result = rsh(project, "devbox", "pwd; echo", "'a  b'", "$((1+1))", f"{project.local}", "; cat; exit 6", input=b"in")
    here = login_directory(project)
    assert (result.returncode, result.stdout.decode()) == (6, f"{here}\na  b 2 {project.local}\nin")


def test_an_empty_host_is_the_matching_directory(configured: Project) -> None:
    assert rsh(configured, "", "pwd", cwd="src").stdout.decode() == f"{configured.remote}/src\n"
    elsewhere = rsh(configured, "--project", str(configured.local), "", "pwd", cwd="/")
    assert elsewhere.stdout.decode() == f"{configured.remote}\n"


def test_the_profiles_host_is_accepted_under_each_of_its_names(project: Project, shared_sshd: Sshd) -> None:
    port = str(shared_sshd.port)
    for words in (
        ["devbox"],
        [f"{ME}@devbox"],
        ["-l", ME, "-p", port, "devbox"],
        ["127.0.0.1"],
        [f"ssh://{ME}@127.0.0.1:{port}"],
        ["-o", "HostName=127.0.0.1", "devbox"],
    ):
        assert rsh(project, *words, "echo", "ok").stdout == b"ok\n", words


@pytest.mark.parametrize(
    "words", [["other"], ["nobody@devbox"], ["-p", "1", "devbox"], ["-o", "HostName=b", "devbox"], ["-l", "x", ""]]
)
def test_another_host_user_or_port_is_refused(project: Project, words: list[str]) -> None:
    result = rsh(project, *words, "echo", "ok")
    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (255, b"", 1)
    assert b"is not the target of profile `default`: that is `devbox`" in result.stderr
    assert result.stderr.endswith(b"; use `ssh` for it\n")


def test_another_port_is_refused_with_the_correct_one(project: Project, shared_sshd: Sshd) -> None:
    line = f"rdo: `port 22` is not the target of profile `default`: that is `devbox`, port {shared_sshd.port}; "
    assert rsh(project, "-p", "22", "", "true").stderr.decode().startswith(line)


@pytest.mark.parametrize("words", [["-N", "devbox"], ["-L", "1:a:2", "devbox"], ["-s", "devbox", "sftp"], [], ["-Z"]])
def test_an_unsupported_call_is_one_line(project: Project, words: list[str]) -> None:
    result = rsh(project, *words)
    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (255, b"", 1)
    assert result.stderr.startswith(b"rdo: ")


def test_ssh_is_not_called_for_a_target_that_is_not_allowed(own: Project) -> None:
    result = rsh(own, "127.0.0.1", "true", env={**own.environment, "RDO_TRUST": ""})
    assert (result.returncode, result.stderr.count(b"\n")) == (255, 1)
    assert b"is not allowed yet" in result.stderr


def test_a_command_gets_no_terminal_unless_requested_twice(project: Project) -> None:
    with Terminal(["bash", "--norc", "-i"], project.local, {**project.environment, "PS1": "$ "}) as terminal:
        terminal.expect("$ ")
        terminal.line("rdo-rsh devbox 'test -t 0; echo result $?'")
        terminal.expect("result 1\r\n")
        terminal.prompt()
        terminal.line("rdo-rsh -t devbox 'test -t 0; echo result $?'")
        terminal.expect("result 0\r\n")
    assert rsh(project, "-t", "devbox", "test -t 0").returncode == 1
    assert rsh(project, "-tt", "devbox", "test -t 0").returncode == 0
    assert rsh(project, "-n", "devbox", "cat", input=b"x").stdout == b""


def test_variables_of_send_env_and_set_env_are_passed_on(project: Project) -> None:
    environment = {**project.environment, "GIT_PROTOCOL": "version=2", "SECRET": "x"}
    words = ["-o", "SendEnv=GIT_*", "-o", "SetEnv=A='b c'", "devbox", "echo $GIT_PROTOCOL,$A,${SECRET-unset}"]
    assert rsh(project, *words, env=environment).stdout == b"version=2,b c,unset\n"


def test_programs_that_probe_for_ssh_get_an_answer(project: Project) -> None:
    assert rsh(project, "-V").stderr.startswith(b"rdo-rsh of rdo ")
    assert rsh(project, "-G", "-o", "SendEnv=GIT_PROTOCOL", "-p", "22", "me@devbox").stdout.splitlines() == [
        b"host devbox", b"hostname devbox", b"port 22", b"user me",
    ]  # fmt: skip
    for order in ("check", "stop", "exit"):
        assert rsh(project, "-O", order, "-S", "/x", "devbox").returncode == 0


# The programs


def need(program: str) -> None:
    if shutil.which(program) is None:
        require(program, "it is not installed")


def test_rsync_copies_ten_thousand_small_files_both_ways(own: Project, sshd: Sshd) -> None:
    need("rsync")
    tree = own.local / "tree"
    for number in range(10_000):
        if number % 100 == 0:
            (tree / f"{number // 100} it's").mkdir(parents=True)
        (tree / f"{number // 100} it's" / str(number)).write_text(f"{number}\n" * (number % 7))
    logins = sshd.log.count("Accepted publickey")
    up = own.shell("rsync -a -e rdo-rsh ./tree/ :tree/")
    assert (up.returncode, up.stderr) == (0, b"")
    down = own.shell('cd src && rsync -a -e rdo-rsh :../tree/ "$PWD/back/"')
    assert (down.returncode, down.stderr) == (0, b"")
    assert sshd.log.count("Accepted publickey") - logins <= 1
    for copy in (own.remote / "tree", own.local / "src" / "back"):
        same = own.shell(f"diff -r tree {shlex.quote(str(copy))} && find {shlex.quote(str(copy))} -type f | wc -l")
        assert same.stdout.strip() == b"10000"


def test_rsync_by_host_name_copies_from_anywhere_there(project: Project, tmp_path: Path) -> None:
    need("rsync")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("x")
    result = project.shell(f"rsync -a -e rdo-rsh {ME}@devbox:{tmp_path}/elsewhere/ got/ && cat got/file")
    assert (result.stdout, result.stderr) == (b"x", b"")


def test_git_clones_fetches_and_pushes(project: Project, tmp_path: Path) -> None:
    need("git")
    git = "git -c user.name=a -c user.email=a@example.com -c init.defaultBranch=main"
    script = f"""\
set -e
export GIT_SSH_COMMAND=rdo-rsh
git init --quiet --bare '{tmp_path}/srv/the repo.git'
git clone --quiet 'devbox:{tmp_path}/srv/the repo.git' one 2>/dev/null
cd one
{git} commit --quiet --allow-empty -m first
git push --quiet origin HEAD:refs/heads/main
cd ..
git clone --quiet -b main 'ssh://{ME}@devbox{tmp_path}/srv/the repo.git' two
cd one; {git} commit --quiet --allow-empty -m second; git push --quiet origin HEAD:refs/heads/main
cd ../two; git pull --quiet; git log --format=%s
"""
    result = project.shell(script)
    assert (result.returncode, result.stdout) == (0, b"second\nfirst\n"), result.stderr


def test_ansible_works(project: Project, tmp_path: Path) -> None:
    home = rsh(project, *ANSIBLE, "devbox", "/bin/sh -c 'echo ~ && sleep 0'")
    assert home.stdout.decode() == f"{project.run('sh', '-c', 'echo ~').stdout.decode()}"
    directory = tmp_path / "ansible-tmp"
    echoed = f"` echo {directory} `"
    make = f"""/bin/sh -c '( umask 77 && mkdir -p "{echoed}" && echo made="{echoed}" ) && sleep 0'"""
    assert rsh(project, *ANSIBLE, "devbox", make).stdout.decode() == f"made={directory}\n"
    assert directory.stat().st_mode & 0o777 == 0o700
    module = os.urandom(200_000)
    piped = rsh(project, *ANSIBLE, "devbox", f"dd of={directory}/module bs=65536", input=module)
    assert (piped.returncode, (directory / "module").read_bytes()) == (0, module)
    ended = rsh(project, *ANSIBLE, "-tt", "devbox", "/bin/sh -c 'test -t 0 && echo terminal; exit 3'")
    assert (ended.returncode, ended.stdout) == (3, b"terminal\r\n")


# Other drivers


def test_a_container_is_accepted_by_its_name(
    tmp_path: Path, runtime: dict[str, str], docker_engine: DockerEngine
) -> None:
    project = make_project(tmp_path, {**runtime, "DOCKER_HOST": docker_engine.host})
    with docker_engine.container(mounts={project.local: "/it"}, working_dir="/tmp") as name:
        project.configure(f'driver = "docker"\ncontainer = "{name}"\n')
        assert rsh(project, "", "pwd", cwd="src").stdout == b"/it/src\n"
        assert rsh(project, name, "pwd").stdout == b"/tmp\n"
        assert rsh(project, "-p", "22", name, "pwd").stdout == b"/tmp\n"  # as programs do that always pass a port
        assert rsh(project, "-p", "2222", name, "pwd").returncode == 255
        assert rsh(project, "-l", "daemon", name, "pwd").returncode == 255
        project.configure(f'driver = "docker"\ncontainer = "{name}"\nuser = "daemon"\n')
        assert rsh(project, f"daemon@{name}", "id -un").stdout == b"daemon\n"


def test_this_machine_is_localhost(tmp_path: Path, runtime: dict[str, str]) -> None:
    project = local_project(tmp_path, runtime)
    assert rsh(project, "-p", "22", f"{ME}@localhost", "pwd").stdout.decode().strip() == runtime["HOME"]
    assert rsh(project, "devbox", "pwd").returncode == 255


def test_the_host_of_another_profile_selects_that_profile(own: Project) -> None:
    own.configure(ssh_config_text(own, '[here]\ndriver = "local"\n'))
    assert rsh(own, "--profile", "here", "local", "echo ok").stdout == b"ok\n"
    assert rsh(own, "local", "echo ok").returncode == 255


def test_paths_in_output_are_left_alone_even_if_the_profile_maps_them(configured: Project) -> None:
    configured.configure(ssh_config_text(configured, "map_output = true\n"))
    assert configured.run("pwd").stdout.decode() == f"{configured.local}\n"
    assert rsh(configured, "", "pwd").stdout.decode() == f"{configured.remote}\n"
