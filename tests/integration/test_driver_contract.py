"""The contract of all drivers: one suite for their interface, with real targets with different shells as /bin/sh."""

from __future__ import annotations

import os
import random
import resource
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from rdo.drivers.base import ChannelRefused, Pty, WindowSize
from rdo.pool.connection import HeldConnection
from rdo.pool.lifeline import SHORT_LIFE_LIMIT
from rdo.pool.shell import Shell
from rdo.remote_sh.markers import mark
from tests.contract import SIZE, TIMEOUT, finish, guarded, held, is_still, run, start
from tests.leaks import wait_until
from tests.reach import REACH, Target


@pytest.fixture(scope="module", params=REACH)
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Each target in turn."""
    with ExitStack() as stack:
        yield REACH[request.param](request, tmp_path_factory.mktemp("shared"), stack)


@pytest.fixture(scope="module")
def link(target: Target) -> Iterator[HeldConnection]:
    """A connection that tests share, which only run commands."""
    with held(target) as link:
        yield link


@pytest.fixture
def own_link(target: Target) -> Iterator[HeldConnection]:
    """A separate connection, which a test may end, or give a lifeline."""
    with held(target) as link:
        yield link


@pytest.mark.parametrize("status", [0, 1, 2, 3, 42, 125, 126, 127, 128, 129, 137, 254, 255])
def test_a_status_is_the_commands_own(link: HeldConnection, status: int) -> None:
    assert run(link, "sh", "-c", f"exit {status}") == (status, b"", b"")


def test_a_status_arrives_although_the_streams_ended_earlier(link: HeldConnection) -> None:
    assert run(link, "sh", "-c", "exec >&- 2>&-; sleep 0.5; exit 6") == (6, b"", b"")


def test_a_missing_program_is_127_and_one_that_cannot_be_executed_126(link: HeldConnection, target: Target) -> None:
    (target.local / "plain").write_text("")
    assert run(link, "/no/such/program").status == 127
    assert run(link, f"{target.remote}/plain").status == 126


@pytest.mark.parametrize(("name", "status"), [("KILL", 137), ("TERM", 143), ("PIPE", 141), ("USR1", 138)])
def test_a_death_by_signal_is_128_and_its_number(link: HeldConnection, name: str, status: int) -> None:
    assert run(link, "sh", "-c", f"kill -{name} $$; sleep 5").status == status


def test_the_streams_are_apart_and_binary(link: HeldConnection) -> None:
    data = random.Random(1).randbytes(1_000_000)
    noise = r"head -c 1000000 /dev/zero | tr '\0' '\377' >&2"
    found = run(link, "sh", "-c", f"{noise} & cat; wait; printf end >&2", data=data)
    assert (found.status, found.stdout == data, found.stderr == b"\xff" * 1_000_000 + b"end") == (0, True, True)


def test_output_before_a_crash_is_complete(link: HeldConnection, target: Target) -> None:
    for _ in range(target.times):
        found = run(link, "sh", "-c", "head -c 1000000 /dev/zero; exit 3")
        assert (found.status, len(found.stdout)) == (3, 1_000_000)


def test_a_program_reads_what_is_written_first_however_late_it_starts(link: HeldConnection, target: Target) -> None:
    for _ in range(target.times):
        channel = link._connection.open_channel('read -r first; echo "$first"; read -r second; echo "$second"', None)
        for word in ("first", "second"):
            (channel.write_first if word == "first" else channel.write)(f"{word}\n".encode())
            answer = channel.read(TIMEOUT)
            assert answer is not None
            assert bytes(answer.data).decode() == f"{word}\n"
        assert (channel.read(TIMEOUT), channel.exit_status()) == (None, 0)
        channel.close()


def test_the_end_of_input_reaches_a_command_that_continues(link: HeldConnection, target: Target) -> None:
    assert run(link, "sh", "-c", "cat; echo after; exit 4", data=b"abc") == (4, b"abcafter\n", b"")
    for _ in range(target.times):
        assert run(link, "cat", data=b"abc").stdout == b"abc"
    assert run(link, "cat") == (0, b"", b"")


def test_arguments_arrive_exactly(link: HeldConnection) -> None:
    words = [word for seed in range(300) for word in vector(random.Random(seed))]
    expected = b"".join(os.fsencode(word) + b"\0" for word in words)
    assert run(link, "printf", "%s\\0", *words).stdout == expected


def vector(dice: random.Random) -> list[str]:
    """Some words of any bytes but NUL, with many that are special to shells."""
    alphabet = b"'\"\\$`*?[]{}()<>|&;!#~ \t\n\r-=%\x80\xff\xc3\xa9az09"
    return [os.fsdecode(bytes(dice.choices(alphabet, k=dice.randrange(6)))) for _ in range(dice.randrange(1, 4))]


def test_a_command_runs_in_its_directory_and_never_in_another_one(link: HeldConnection, target: Target) -> None:
    assert run(link, "pwd", directory=target.remote).stdout == target.remote.encode() + b"\n"
    shell = start(link, "pwd", directory=f"{target.remote}/missing")
    assert finish(shell) == (255, mark(shell.secret, "astray") + b"\n", b"")
    shell.channel.close()


def test_a_pty_has_its_size_from_the_first_byte(link: HeldConnection, target: Target) -> None:
    for _ in range(target.times):
        assert run(link, "stty", "size", pty=Pty("xterm", SIZE)) == (0, b"50 120\r\n", b"")


def test_a_pty_is_resized_and_a_command_on_it_has_its_status(link: HeldConnection) -> None:
    shell = start(link, "sh", "-c", "echo up; read line; stty size; exit 9", pty=Pty("xterm", SIZE))
    seen = b""
    while b"up\r\n" not in seen:
        chunk = shell.channel.read(TIMEOUT)
        assert chunk is not None
        seen += chunk.data
    shell.channel.resize(WindowSize(20, 60))
    shell.channel.write(b"\n")
    assert finish(shell) == (9, b"\r\n20 60\r\n", b"")
    shell.channel.close()


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "USR1"])
def test_a_signal_reaches_the_commands_group(own_link: HeldConnection, name: str) -> None:
    shell = start(own_link, "sh", "-c", f"trap 'exit 7' {name}; echo up; while :; do sleep 0.05; done")
    assert shell.channel.read(TIMEOUT) is not None
    own_link.start_lifeline()
    own_link.signal(shell.group, name)
    assert finish(shell).status == 7


@pytest.mark.parametrize("ignored", ["", "trap '' TERM HUP; "])
def test_a_group_ends_when_its_link_is_lost(own_link: HeldConnection, target: Target, ignored: str) -> None:
    beat = target.local / f"beat{len(ignored)}"
    loop = f"while :; do echo >{target.remote}/{beat.name}; sleep 0.05; done"
    shell = start(own_link, "sh", "-c", f"{ignored}({loop}) & {loop}")
    own_link.start_lifeline()
    own_link.guard(shell.group)
    assert wait_until(lambda: beat.exists() and beat.read_bytes(), TIMEOUT)
    own_link._connection.close()
    assert wait_until(lambda: is_still(beat), 5.0)


@contextmanager
def needing_room(link: HeldConnection, shell: Shell) -> Iterator[None]:
    """Skips the test if a server allows no third session besides those of a command and of its lifeline."""
    try:
        yield
    except ChannelRefused:
        link.signal(shell.group, "KILL")
        pytest.skip("this server has no room for another channel")


def kill_lifeline(link: HeldConnection, target: Target) -> None:
    """Kill the lifeline, as somebody on the target may."""
    lifeline = link._lifeline._shell
    assert lifeline is not None
    kill = ("sh", "-c", f"kill -9 {lifeline.group.number}")
    try:
        assert run(link, *kill).status == 0
    except ChannelRefused:
        with held(target) as other:
            assert run(other, *kill).status == 0
    assert wait_until(lambda: lifeline.channel.ended, TIMEOUT)


def test_a_lifeline_that_was_killed_is_replaced_for_a_signal(own_link: HeldConnection, target: Target) -> None:
    shell = guarded(own_link, "trap 'exit 7' INT; echo up; while :; do sleep 0.05; done")
    kill_lifeline(own_link, target)
    assert own_link.signal(shell.group, "INT")
    assert finish(shell).status == 7


def test_a_lifeline_that_was_stopped_is_replaced_for_a_signal_and_killed(
    own_link: HeldConnection,
) -> None:
    shell = guarded(own_link, "trap 'echo got' TERM; echo up; while :; do sleep 0.05; done")
    lifeline = own_link._lifeline._shell
    assert lifeline is not None
    with needing_room(own_link, shell):
        assert run(own_link, "sh", "-c", f"kill -STOP {lifeline.group.number}").status == 0
    assert own_link.signal(shell.group, "TERM")
    assert shell.channel.read(TIMEOUT) is not None
    assert wait_until(lambda: lifeline.channel.ended, TIMEOUT)
    assert own_link.signal(shell.group, "KILL")
    assert finish(shell).status == 137


def test_a_lifeline_that_was_killed_is_replaced_before_the_end_of_the_link(
    own_link: HeldConnection, target: Target
) -> None:
    shell = guarded(own_link, f"echo up; while :; do echo >{target.remote}/beats; sleep 0.05; done")
    time.sleep(SHORT_LIFE_LIMIT)
    kill_lifeline(own_link, target)
    assert wait_until(lambda: own_link._lifeline._shell and not own_link._lifeline._shell.channel.ended, TIMEOUT)
    assert wait_until(lambda: own_link.signal(shell.group, "CONT"), TIMEOUT)  # the new one knows the group
    own_link._connection.close()
    assert wait_until(lambda: is_still(target.local / "beats"), 5.0)


def test_a_slow_reader_stops_the_writer_and_costs_little(link: HeldConnection) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    shell = start(link, "head", "-c", "50000000", "/dev/zero")
    time.sleep(1.0)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 32_000_000
    assert not shell.channel.ended
    assert len(finish(shell).stdout) == 50_000_000
    shell.channel.close()


def test_a_login_shell_can_be_started(target: Target) -> None:
    with held(target) as link:
        found = run(link, "sh", "-c", "cat; exit 5", data=b"in", login=True)
        assert (found.status, found.stdout) == (5, b"in")
        assert run(link, "stty", "size", pty=Pty("xterm", SIZE), login=True).stdout == b"50 120\r\n"


def test_a_connection_that_is_closed_is_not_alive_and_may_be_closed_again(own_link: HeldConnection) -> None:
    assert own_link.keepalive.check_alive()
    own_link._connection.close()
    own_link._connection.close()
