"""Tests for programs on a real server: statuses, streams, terminals, flow control."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import threading

import pytest

from rdo.drivers.base import STDERR, STDOUT, Pty, WindowSize
from rdo.drivers.ssh.channel import WINDOW
from tests.integration.conftest import Connect
from tests.leaks import wait_until
from tests.servers import sshd_alone
from tests.ssh_client import TIMEOUT, drain, feed, output
from tests.ssh_server import SshServer


@pytest.mark.parametrize("status", [0, 1, 2, 126, 127, 128, 254, 255])
def test_the_exit_status_is_the_commands_own(status: int, server: SshServer, connect: Connect) -> None:
    assert output(connect(server.ssh_config()), f"exit {status}") == (status, "")


@pytest.mark.parametrize(("name", "number"), [("KILL", 9), ("TERM", 15), ("USR1", 10), ("PIPE", 13)])
def test_a_death_by_signal_is_128_and_its_number(name: str, number: int, server: SshServer, connect: Connect) -> None:
    assert output(connect(server.ssh_config()), f"exec sh -c 'kill -{name} $$'") == (128 + number, "")


@sshd_alone("patience with who holds stdout")
def test_a_status_that_comes_before_the_output_has_ended_is_kept(server: SshServer, connect: Connect) -> None:
    channel = connect(server.ssh_config()).open_channel("exec sh -c '{ sleep 0.3; echo late; } & exit 3'", None)
    assert drain(channel)[STDOUT] == b"late\n"
    assert channel.exit_status() == 3
    assert channel.ended


def test_both_streams_arrive_separately_and_completely(server: SshServer, connect: Connect) -> None:
    script = "head -c 3000000 /dev/zero & head -c 2000000 /dev/zero | tr '\\0' '\\377' >&2; wait"
    found = drain(connect(server.ssh_config()).open_channel(script, None))
    assert found == {STDOUT: bytes(3_000_000), STDERR: b"\xff" * 2_000_000}


@pytest.mark.parametrize("size", [1, 10, 1000, 32 * 1024, 256 * 1024, 5_000_000])
def test_input_arrives_completely_whatever_the_sizes_of_the_writes(
    size: int, server: SshServer, connect: Connect
) -> None:
    data = random.Random(size).randbytes(min(5_000_000, size * 2000))
    channel = connect(server.ssh_config()).open_channel("sha256sum", None)
    for start in range(0, len(data), size):
        channel.write(data[start : start + size])
    channel.end_input()
    assert drain(channel)[STDOUT].split()[0].decode() == hashlib.sha256(data).hexdigest()


def test_data_is_complete_while_both_directions_are_busy(server: SshServer, connect: Connect) -> None:
    data = os.urandom(1000) * 30_000
    channel = connect(server.ssh_config()).open_channel("cat", None)
    writer = threading.Thread(target=feed, args=(channel, data))
    writer.start()
    assert drain(channel)[STDOUT] == data
    writer.join()


def test_input_is_accepted_at_once_until_the_program_has_no_room_for_it(server: SshServer, connect: Connect) -> None:
    channel = connect(server.ssh_config()).open_channel("echo ready; sleep 0.5; exec sha256sum", None)
    assert channel.read(TIMEOUT) is not None  # sshd grants credit at the start of the program
    data, piece = hashlib.sha256(), os.urandom(8 * 1024)  # dropbear has room for three
    offers = 0
    while channel.try_write(piece):
        data.update(piece)
        offers += 1
    assert offers
    data.update(piece)
    feed(channel, piece)
    assert drain(channel)[STDOUT].split()[0].decode() == data.hexdigest()
    assert not channel.try_write(b"late")


def test_the_end_of_input_reaches_a_program_that_goes_on_writing(server: SshServer, connect: Connect) -> None:
    channel = connect(server.ssh_config()).open_channel("cat; echo after; echo err >&2; exit 4", None)
    channel.write(b"before\n")
    channel.end_input()
    channel.end_input()
    channel.write(b"dropped\n")
    assert drain(channel) == {STDOUT: b"before\nafter\n", STDERR: b"err\n"}
    assert channel.exit_status() == 4


def test_input_for_a_program_that_has_ended_is_dropped(server: SshServer, connect: Connect) -> None:
    channel = connect(server.ssh_config()).open_channel("exit 5", None)
    for _ in range(100):
        channel.write(bytes(256 * 1024))
    assert channel.exit_status() == 5


def test_a_command_may_hold_bytes_that_are_not_utf8(server: SshServer, connect: Connect) -> None:
    command = os.fsdecode(b"printf %s '\xff\xfe\n'")
    assert drain(connect(server.ssh_config()).open_channel(command, None))[STDOUT] == b"\xff\xfe\n"


def test_reading_times_out_without_output(server: SshServer, connect: Connect) -> None:
    channel = connect(server.ssh_config()).open_channel("cat", None)
    with pytest.raises(TimeoutError):
        channel.read(0.05)
    assert not channel.ended
    channel.end_input()
    assert channel.read(TIMEOUT) is None


@sshd_alone("eow@openssh.com")
def test_a_program_whose_output_nobody_reads_any_more_gets_sigpipe(server: SshServer, connect: Connect) -> None:
    channel = connect(server.ssh_config()).open_channel("exec yes", None)
    assert channel.read(TIMEOUT) is not None
    assert channel.stop_reading()
    drain(channel)
    assert channel.exit_status() == 128 + 13


def test_a_reader_that_is_slow_stops_the_writer_and_costs_one_window(server: SshServer, connect: Connect) -> None:
    connection = connect(server.ssh_config())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    slow = connection.open_channel("head -c 60000000 /dev/zero", None)
    assert output(connection, "sleep 0.5; echo in") == (0, "in\n")
    assert not slow.ended
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 4 * WINDOW
    assert len(drain(slow)[STDOUT]) == 60_000_000


def test_output_of_single_bytes_costs_no_more_than_its_size(server: SshServer, connect: Connect) -> None:
    script = "exec sh -c 'for i in 1 2 3 4 5; do printf x; sleep 0.02; done'"
    channel = connect(server.ssh_config()).open_channel(script, None)
    assert wait_until(lambda: channel.ended, TIMEOUT)
    chunk = channel.read(TIMEOUT)
    assert chunk is not None
    assert chunk.data == b"xxxxx"


def test_output_is_complete_and_in_order_with_or_without_a_sink(server: SshServer, connect: Connect) -> None:
    lines = "".join(f"{number}\n" for number in range(1_000_000)).encode()
    channel = connect(server.ssh_config()).open_channel("exec seq 0 999999", None)
    chance, pieces, taken = random.Random(1), [], []

    def sink(stream: int, data: bytes | memoryview) -> bool:
        takes = stream == STDOUT and chance.random() < 0.8
        if takes:
            pieces.append(bytes(data))
            taken.append(len(data))
        return takes

    while (chunk := channel.read(None, sink)) is not None:
        pieces.append(bytes(chunk.data))
    assert b"".join(pieces) == lines
    assert 0 < sum(taken) < len(lines)


def test_a_sink_that_accepts_everything_lets_the_writer_exceed_the_window(server: SshServer, connect: Connect) -> None:
    channel = connect(server.ssh_config()).open_channel(f"head -c {3 * WINDOW} /dev/zero", None)
    taken: list[int] = []

    def sink(stream: int, data: bytes | memoryview) -> bool:
        taken.append(len(data))
        return True

    read = 0
    while (chunk := channel.read(TIMEOUT, sink)) is not None:
        read += len(chunk.data)
    assert sum(taken) + read == 3 * WINDOW
    assert taken


def test_a_terminal_has_its_initial_size_and_then_the_new_one(server: SshServer, connect: Connect) -> None:
    pty = Pty("xterm", WindowSize(31, 97))
    channel = connect(server.ssh_config()).open_channel("echo $TERM; stty size; read x; stty size", pty)
    text = b""
    while text.count(b"\n") < 2:
        chunk = channel.read(TIMEOUT)
        assert chunk is not None
        text += chunk.data
    assert text == b"xterm\r\n31 97\r\n"
    channel.resize(WindowSize(20, 60))
    channel.write(b"\n")
    assert drain(channel)[STDOUT] == b"\r\n20 60\r\n"
    assert channel.exit_status() == 0


@pytest.mark.parametrize("command", ["cat", "sleep 60", "stty raw -echo; read line"])
def test_closing_a_terminal_hangs_up_its_program(server: SshServer, connect: Connect, command: str) -> None:
    connection = connect(server.ssh_config())
    channel = connection.open_channel(f"echo up; {command}", Pty("xterm", WindowSize(24, 80)))
    assert channel.read(TIMEOUT) is not None
    channel.close()
    assert wait_until(lambda: not len(connection._transport.open_channels), TIMEOUT)
