"""Tests rdo with dropbear, the server of small machines, as far as users notice the server."""

from __future__ import annotations

import itertools
import signal
import threading
from collections.abc import Iterator, Sequence
from functools import partial

import pytest

from tests.dropbear import Dropbear, open_folder
from tests.e2e.commands.test_signals import GONE, alive, trap
from tests.e2e.project import TIMEOUT, Project, ssh_project
from tests.e2e.terminal import Terminal
from tests.leaks import wait_until

pytestmark = pytest.mark.usefixtures("lent")


@pytest.fixture(scope="module")
def server(dropbear: Dropbear) -> Dropbear:
    """A server that is started before a test begins, because it is not a leak of the test."""
    return dropbear


@pytest.fixture
def project(server: Dropbear, runtime: dict[str, str]) -> Iterator[Project]:
    with open_folder() as directory:
        made = ssh_project(directory, runtime, server)  # type: ignore[arg-type]
        made.remote.chmod(0o777)
        yield made


def test_arguments_input_output_and_statuses_are_the_command_s_own(project: Project) -> None:
    for _ in range(3):
        done = project.run("sh", "-c", 'cat; printf "%s" "$@" >&2; exit 7', "x", "a b", "'", "", input=b"in\0put")
        assert (done.returncode, done.stdout, done.stderr) == (7, b"in\0put", b"a b'")


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "USR1"])
def test_a_signal_reaches_the_command(project: Project, name: str) -> None:
    with project.start("sh", "-c", trap(name)) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(getattr(signal, f"SIG{name}"))
        assert process.stdout.read() == b"caught\n"
        assert process.wait() == 7


def test_no_command_outlives_its_client(project: Project) -> None:
    with project.start("sh", "-c", "sleep 30 & echo $! $$; wait") as process:
        assert process.stdout
        pids = [int(pid) for pid in process.stdout.readline().split()]
        process.kill()
    assert wait_until(lambda: not any(map(alive, pids)), GONE)


def test_a_command_whose_output_nobody_reads_ends(project: Project) -> None:
    assert project.shell("rdo yes | head -1").stdout == b"y\n"


def test_a_terminal_has_its_size_and_its_keys(project: Project) -> None:
    with Terminal(["bash", "--norc", "-i"], project.local, {**project.environment, "PS1": "$ "}) as terminal:
        terminal.expect("$ ")
        terminal.line("rdo sh -c 'stty size; trap \"echo caught; exit 7\" INT; echo up; while :; do sleep 0.05; done'")
        terminal.expect("30 100\r\n")
        terminal.expect("up\r\n")
        terminal.type("\x03")
        terminal.expect("caught\r\n")


def all_ended(pids: Sequence[int]) -> bool:
    return not any(map(alive, pids))


def test_a_signal_that_ends_the_command_ends_its_whole_group(project: Project) -> None:
    for name in ("INT", "TERM"):
        with project.start("sh", "-c", "sleep 3000 & echo $! $$; wait") as process:
            assert process.stdout
            pids = [int(pid) for pid in process.stdout.readline().split()]
            process.send_signal(getattr(signal, f"SIG{name}"))
            process.wait(TIMEOUT)
        assert process.returncode == 128 + getattr(signal, f"SIG{name}")
        assert wait_until(partial(all_ended, pids), GONE)


def test_concurrent_commands_are_not_mixed_up_or_lost(project: Project) -> None:
    found: dict[tuple[int, int], tuple[int, bytes, bytes]] = {}

    def run(thread: int) -> None:
        for turn in range(4):
            done = project.run("sh", "-c", f"echo {thread}{turn}; exit {thread}")
            found[thread, turn] = (done.returncode, done.stdout, done.stderr)

    workers = [threading.Thread(target=run, args=(thread,)) for thread in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == {each: (each[0], b"%d%d\n" % each, b"") for each in itertools.product(range(8), range(4))}
