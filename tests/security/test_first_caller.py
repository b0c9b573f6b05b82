"""Checks that nothing of the caller that started the control master affects later commands of other callers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.masters import close, masters, sockets, targets
from tests.e2e.project import TIMEOUT, Project, local_project
from tests.leaks import wait_until

UNSHARED = {"mnt": "mount"}
"""The option of unshare(1) for a namespace, if it has another name."""

SHOWN = "Sig(Blk|Ign)|Groups|Cpus_allowed_list"

STATE = f"umask; nice; ionice; ulimit -a; ulimit -Ha; grep -E '^({SHOWN})' /proc/self/status"
"""Prints what a command on this machine has inherited."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can have other groups and namespaces")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="no other system tells all of this of a process")


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server."""
    return local_project(tmp_path, runtime)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory, shared: Project) -> list[str]:
    """The state of a command whose caller, and the one that started its master, are as the tests themselves are."""
    before = targets(shared)
    found = state(local_project(tmp_path_factory.mktemp("usual"), shared.environment))
    close(shared, targets(shared) - before)
    return found


def state(project: Project, before: str = "") -> list[str]:
    """The lines of `STATE` for a caller that has run `before`."""
    done = project.shell(f"{before} rdo bash -c {json.dumps(STATE)}")
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().splitlines()


@on_linux
@pytest.mark.parametrize("first", [
    "umask 077;",
    "trap '' INT QUIT TERM HUP PIPE USR1 CHLD;",
    "ulimit -t 60;",
    "ulimit -St 60;",
    "ulimit -n 256;",
    "ulimit -Sc unlimited; ulimit -Sf 100000;",
    "nice -n 7",
    "ionice -c 3",
    "taskset -c 0",
    "env --block-signal=INT",
])  # fmt: skip
def test_a_local_command_runs_as_its_own_caller_would_run_it(project: Project, usual: list[str], first: str) -> None:
    assert project.shell(f"{first} rdo true").returncode == 0
    assert state(project) == usual
    assert project.run("sh", "-c", "kill -INT $$; echo survived").returncode == 130
    assert wait_until(lambda: len(masters(project)) == 1, TIMEOUT)  # a master that was told to end may take its time


@on_linux
@pytest.mark.parametrize(
    ("own", "shows"), [("umask 077;", "0077"), ("nice -n 7", str(os.nice(0) + 7)), ("ulimit -t 77;", "77")]
)
def test_a_local_command_has_the_restrictions_of_its_own_caller(project: Project, own: str, shows: str) -> None:
    usual = state(project)
    assert not any(line.endswith(shows) for line in usual)
    assert any(line.endswith(shows) for line in state(project, own))
    assert state(project) == usual
    assert wait_until(lambda: len(masters(project)) == 1, TIMEOUT)  # a master that was told to end may take its time


def test_a_limit_on_the_size_of_files_is_for_commands_and_not_for_the_log(project: Project) -> None:
    done = project.shell("ulimit -f 0; rdo echo up; rdo sh -c 'echo x >file'")
    assert done.stdout == b"up\n"
    assert done.returncode == 128 + signal.SIGXFSZ
    assert done.stderr == b""
    assert wait_until(lambda: len(masters(project)) == 1, TIMEOUT)


def test_a_local_command_has_only_the_environment_of_its_own_caller(project: Project) -> None:
    words = ("sh", "-c", "echo ${FIRST-unset} ${SECOND-unset}")
    assert project.run(*words, env={"FIRST": "1"}).stdout == b"1 unset\n"
    assert project.run(*words, env={"SECOND": "2"}).stdout == b"unset 2\n"
    assert project.run(*words).stdout == b"unset unset\n"
    assert wait_until(lambda: len(masters(project)) == 1, TIMEOUT)  # a master that was told to end may take its time


def test_a_background_job_of_a_script_does_not_disable_ctrl_c_for_later_commands(project: Project) -> None:
    assert project.shell("rdo true & wait $!").returncode == 0
    assert project.run("sh", "-c", "kill -INT $$; echo survived").returncode == 130


@pytest.mark.parametrize("directory", ["on PYTHONPATH", "the caller's"])
def test_no_module_of_the_caller_is_imported(project: Project, tmp_path: Path, directory: str) -> None:
    planted = tmp_path / "planted" if directory == "on PYTHONPATH" else project.local
    planted.mkdir(exist_ok=True)
    for name in ("json", "logging", "queue", "selectors", "socket", "subprocess", "tempfile", "tomllib"):
        marker = str(tmp_path / "marker")
        (planted / f"{name}.py").write_text(f"open({marker!r}, 'a').write({name!r})\nraise SystemExit\n")
    environment = {"PYTHONPATH": f"{planted}:", "PYTHONSTARTUP": str(planted / "json.py"), "PYTHONINSPECT": "1"}
    result = project.run("echo", "x", env=environment if directory == "on PYTHONPATH" else {})
    assert (result.stdout, (tmp_path / "marker").exists()) == (b"x\n", False), result.stderr


@on_linux
def test_the_master_keeps_only_variables_that_select_a_target(project: Project) -> None:
    secrets = {"PYTHONPATH": "/nowhere", "LD_PRELOAD": "", "SSH_AUTH_SOCK": "/s", "TOKEN": "t", "TMPDIR": "/nowhere"}
    assert project.run("true", env=secrets).returncode == 0
    (master,) = masters(project)
    held = Path(f"/proc/{master}/environ").read_bytes().split(b"\0")
    assert not {os.fsdecode(item.partition(b"=")[0]) for item in held} & set(secrets)
    assert os.readlink(f"/proc/{master}/cwd") == "/"
    fields = Path(f"/proc/{master}/stat").read_text().rpartition(")")[2].split()
    assert (int(fields[3]) != os.getsid(0), fields[4]) == (True, "0")  # for its session, which has no terminal


def with_groups(project: Project, groups: list[int]) -> str:
    """A command for a caller with these supplementary groups."""
    done = subprocess.run(
        project.command("id", "-G"), cwd=project.local, env=dict(project.environment), capture_output=True,
        timeout=TIMEOUT, check=True, extra_groups=groups,
    )  # fmt: skip
    return done.stdout.decode()


@as_root
def test_a_caller_in_other_groups_has_its_own_master(project: Project) -> None:
    for _ in range(2):
        assert with_groups(project, [54321]) == "0 54321\n"
        assert with_groups(project, []) == "0\n"
    assert len(masters(project)) == 2


@as_root
@on_linux
@pytest.mark.parametrize("kind", ["net", "mnt", "uts", "ipc", "cgroup"])
def test_a_caller_in_another_namespace_has_its_own_master(project: Project, kind: str) -> None:
    look = f"rdo readlink /proc/self/ns/{kind}"
    outside = project.shell(look).stdout
    inside = project.shell(f"unshare --{UNSHARED.get(kind, kind)} {look}").stdout
    assert outside.startswith(f"{kind}:[".encode())
    assert inside not in (outside, b"")
    assert project.shell(look).stdout == outside
    assert project.shell("rdoctl stop --all").stdout.count(b"stopped ") == 2


@on_linux
@pytest.mark.parametrize("before", [
    "setpriv --no-new-privs",
    pytest.param("setpriv --bounding-set -sys_admin --inh-caps -all", marks=as_root),
    "setarch -R",
    "setarch linux32",
])  # fmt: skip
def test_a_caller_that_dropped_privileges_has_its_own_master(project: Project, before: str) -> None:
    look = "rdo sh -c 'uname -m; cat /proc/self/personality; grep -E \"^(Cap|NoNewPrivs|Seccomp)\" /proc/self/status'"
    inside = project.shell(f"{before} {look}").stdout
    outside = project.shell(look).stdout
    assert inside == project.shell(f"{before} {look.removeprefix('rdo ')}").stdout
    assert outside == project.shell(look.removeprefix("rdo ")).stdout
    assert inside != outside


@on_linux
def test_a_first_caller_without_threads_does_not_limit_the_next_one(project: Project) -> None:
    limited = project.shell("ulimit -v 60000; rdo true")
    # Python versions need different numbers of threads.
    assert (limited.returncode, limited.stderr.count(b"\n")) in ((255, 1), (0, 0))
    assert project.run("echo", "x").stdout == b"x\n"
    assert b"Traceback" not in b"".join(path.read_bytes() for path in sockets(project)[0].parent.glob("*.log"))


@pytest.mark.parametrize("files", [12, 24, 63])
def test_a_first_caller_with_few_descriptors_gets_an_error(project: Project, files: int) -> None:
    limited = project.shell(f"ulimit -n {files}; rdo true")
    assert (limited.returncode, limited.stdout) == (255, b"")
    why = f"it needs 64 open files: the hard limit is {files}; `ulimit -n 64` or more"
    assert limited.stderr.decode() == f"rdo: the control master did not start: {why}\n"
    assert project.run("echo", "x").stdout == b"x\n"


def test_a_master_with_as_many_descriptors_as_it_needs_serves_commands(project: Project) -> None:
    assert project.shell("ulimit -n 64; rdo echo x | rdo cat").stdout == b"x\n"


@on_linux
def test_a_caller_with_higher_limits_gets_a_new_master_and_running_commands_continue(project: Project) -> None:
    words = project.command("sh", "-c", "echo up; read line; echo end")
    with subprocess.Popen(
        ["bash", "-c", 'ulimit -t 99; exec "$0" "$@"', *words], cwd=project.local, env=dict(project.environment),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as limited:  # fmt: skip
        assert limited.stdout
        assert limited.stdout.readline() == b"up\n"
        (worse,) = masters(project)
        assert project.run("sh", "-c", "ulimit -Ht").stdout == project.shell("ulimit -Ht").stdout
        assert worse in masters(project)
        assert limited.communicate(b"x\n", TIMEOUT)[0] == b"end\n"
