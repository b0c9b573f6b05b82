"""Tests for listening.sh: it finds the sockets of commands, and only those, with each shell, each awk, and each
method.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rdo.forward import listening_script
from rdo.remote_sh.template import load
from tests.unit.remote_sh.listening import Command, Watch
from tests.unit.remote_sh.shells import TIMEOUT, each_shell, skip_unless

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not

AWKS = {"mawk": "mawk", "gawk": "gawk", "busybox": "busybox", "original-awk": "original-awk"}

each_awk = pytest.mark.parametrize("awk", [pytest.param(name, marks=skip_unless(name)) for name in AWKS])

each_way = pytest.mark.parametrize(
    "way", ["proc", pytest.param("ss", marks=skip_unless("ss")), pytest.param("lsof", marks=skip_unless("lsof"))]
)

Start = Callable[..., Command]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:
        yield lambda name="x", host="127.0.0.1", **more: Command(stack, name, host, **more)


def check_all(watch: Watch, start: Start) -> None:
    """Check everything that it has to find."""
    first, second, foreign = start(), start(host="::1", through="child"), start()
    found = watch.ask(first.shell, second.shell, thorough=True)
    assert found is not None
    assert sorted((each.shell, each.port, each.host) for each in found) == sorted(
        [(first.shell, first.port, "127.0.0.1"), (second.shell, second.port, "::1")]
    )
    assert found[0].process.startswith("python")
    assert foreign.port not in [each.port for each in found]
    second.end()
    found = watch.ask(first.shell, second.shell, thorough=True)
    assert found is not None
    assert [each.port for each in found] == [first.port]
    assert watch.ask() == []


@each_shell
def test_each_shell_finds_what_commands_listen_on(start: Start, shell: str) -> None:
    with Watch(shell) as watch:
        assert watch.way == b"proc"
        check_all(watch, start)


@each_way
@each_awk
def test_each_method_finds_the_same_with_each_awk(start: Start, tmp_path: Path, awk: str, way: str) -> None:
    os.symlink(str(shutil.which(AWKS[awk])), tmp_path / "awk")
    with Watch(way=way, path=str(tmp_path)) as watch:
        assert watch.way == way.encode()
        check_all(watch, start)


def others() -> set[str]:
    """All listening sockets on this machine."""
    lines = [line for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
    return {" ".join(line.split()[index] for index in (1, 9)) for line in lines if " 0A " in line}


def test_a_port_is_found_without_a_thorough_search(start: Start) -> None:
    with Watch() as watch:
        command = start()
        assert [each.port for each in watch.ask(command.shell) or ()] == [command.port]
        for _ in range(1000):  # if others begin to listen meanwhile, it does not answer
            before = others()
            watch.ask(command.shell, thorough=True)
            found = watch.ask(command.shell)
            if others() == before:
                assert found is None
                return
        pytest.skip("this machine is too busy")


def test_on_a_busy_machine_it_searches_less_often_but_at_once_if_asked_to(start: Start) -> None:
    with Watch() as watch, ExitStack() as others:
        command = start()
        assert watch.ask(command.shell)
        looks = []
        for _ in range(6 * listening_script.BUSY_LOOKS):
            others.enter_context(socket.create_server(("127.0.0.1", 0)))
            looks.append(watch.ask(command.shell) is not None)
        assert True in looks[:4]
        assert looks.count(True) <= len(looks) // 2
        others.enter_context(socket.create_server(("127.0.0.1", 0)))
        assert watch.ask(command.shell, thorough=True) is not None


@pytest.mark.parametrize("through", ["exec", "child", "session"])
def test_a_socket_of_a_child_belongs_to_the_command(start: Start, through: str) -> None:
    with Watch() as watch:
        command = start(through=through)
        assert [each.port for each in watch.ask(command.shell) or ()] == [command.port]


def test_a_daemon_of_the_command_is_found_while_its_parent_exists(start: Start) -> None:
    with Watch() as watch:
        command = start("daemon")
        (found,) = watch.ask(command.shell) or []
        assert found.port == command.port
        assert found.pid != command.shell
        os.kill(found.pid, signal.SIGKILL)


def test_a_process_name_may_look_like_the_rest_of_the_line(start: Start) -> None:
    with Watch() as watch:
        command = start("named")
        (found,) = watch.ask(command.shell) or []
        assert (found.port, found.process) == (command.port, "a) S 1 1 1 1")


@each_awk
def test_a_process_name_may_contain_a_newline(start: Start, tmp_path: Path, awk: str) -> None:
    os.symlink(str(shutil.which(AWKS[awk])), tmp_path / "awk")
    with Watch(path=str(tmp_path)) as watch:
        command = start("lines")
        (found,) = watch.ask(command.shell) or []
        assert (found.port, found.process) == (command.port, "a?1 (b) S 0 1 1")


def test_a_socket_that_was_passed_to_another_process_is_not_the_commands(start: Start) -> None:
    with Watch() as watch, socket.create_server(("127.0.0.1", 0)) as own:
        command = start()
        found = watch.ask(command.shell) or []
        assert own.getsockname()[1] not in [each.port for each in found]


def test_if_no_method_works_it_reports_that_and_ends(tmp_path: Path) -> None:
    argv = [str(shutil.which("dash")), "-c", f"{load('newline')}; {listening_script.SCRIPT}"]
    done = subprocess.run(argv, input=b"1\n", env={"PATH": str(tmp_path)}, capture_output=True, timeout=TIMEOUT)
    assert (done.stdout, done.stderr, done.returncode) == (b"none\n", b"", 0)


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that each user may enter."""
    with tempfile.TemporaryDirectory(prefix="rdo-test-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("works", [True, False], ids=["without a password", "with a password"])
def test_the_owner_of_a_socket_is_found_with_sudo_if_the_command_runs_it(
    directory: Path, start: Start, works: bool
) -> None:
    """The script runs as nobody, for whom the kernel does not show root's file descriptors. Its sudo may only list
    these.
    """
    log, ls = directory / "log", directory / "root" / "ls"
    (directory / "root").mkdir()
    log.touch()
    log.chmod(0o666)
    shutil.copy(str(shutil.which("ls")), ls)
    ls.chmod(0o4755)
    (directory / "sudo").write_text(
        f'#!/bin/sh\necho "sudo $1" >>{log}\nshift 2\n{f"exec {ls}" if works else "exit 1 #"} "$@"\n'
    )
    (directory / "sudo").chmod(0o755)
    (directory / "root" / "sudo").symlink_to("/bin/sh")
    command = start(through="child", sh=str(directory / "root" / "sudo"))
    with Watch(path=str(directory), user=65534) as watch:
        found = [watch.ask(command.shell, thorough=True), watch.ask(thorough=True), watch.ask(command.shell)]
    assert [[each.port for each in ports or ()] for ports in found] == [
        [command.port] * works,
        [],
        [command.port] * works,
    ]
    assert log.read_text() == "sudo -n\n" * (2 if works else 1)
