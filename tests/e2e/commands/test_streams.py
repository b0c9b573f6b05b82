"""Tests for the three streams: separate, complete, each with its own end."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import TIMEOUT, Project
from tests.leaks import wait_until
from tests.soak import Counted, tries

pytestmark = pytest.mark.both_clients


def test_stdout_and_stderr_are_separate(project: Project) -> None:
    result = project.run("sh", "-c", "echo out; echo err >&2; echo out2")
    assert (result.stdout, result.stderr) == (b"out\nout2\n", b"err\n")


def test_a_megabyte_of_any_bytes_comes_back_identical(anywhere: Project) -> None:
    data = random.Random(1).randbytes(1_000_000)
    (anywhere.remote / "data").write_bytes(data)
    assert anywhere.run("cat", "data").stdout == data
    assert anywhere.run("cat", input=data).stdout == data


@pytest.mark.parametrize("size", [10, 100, 1_000, 32_000, 128_000, 256_000])
def test_a_megabyte_of_input_arrives_completely_however_it_was_split(anywhere: Project, size: int) -> None:
    data = random.Random(size).randbytes(1_000_000)
    with anywhere.start("sh", "-c", "cat >data", bufsize=0) as process:
        assert process.stdin
        for start in range(0, len(data), size):
            view = memoryview(data[start : start + size])
            while view:
                view = view[os.write(process.stdin.fileno(), view) :]
        process.stdin.close()
        assert process.wait() == 0
    assert (anywhere.remote / "data").read_bytes() == data


def a_file(data: bytes, path: Path) -> int:
    path.write_bytes(data)
    return os.open(path, os.O_RDONLY)


def a_pipe(data: bytes, _path: Path, blocking: bool = True) -> int:
    here, there = os.pipe()
    os.set_blocking(here, blocking)
    threading.Thread(target=feed, args=(there, data)).start()
    return here


def a_socket(data: bytes, _path: Path) -> int:
    here, there = (end.detach() for end in socket.socketpair())
    threading.Thread(target=feed, args=(there, data)).start()
    return here


@pytest.mark.parametrize("source", [a_file, a_pipe, partial(a_pipe, blocking=False), a_socket])
def test_long_input_arrives_completely_from_any_kind_of_file(
    project: Project, source: Callable[[bytes, Path], int], tmp_path: Path
) -> None:
    data = random.Random(2).randbytes(5_000_001)
    with open(source(data, tmp_path / "data"), "rb") as stdin:
        process = project.start("sh", "-c", "cat >data", stdin=stdin)
    assert process.communicate(timeout=TIMEOUT) == (b"", b"")
    assert (project.remote / "data").read_bytes() == data


def feed(fd: int, data: bytes) -> None:
    """Write everything, and close the stream."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.close(fd)


def test_the_end_of_input_reaches_the_command_each_time(project: Project) -> None:
    for _ in range(20):
        started = time.monotonic()
        assert project.run("cat", input=b"abc").stdout == b"abc"
        assert time.monotonic() - started < 10


def test_n_gives_the_command_no_input(project: Project) -> None:
    assert project.run("-n", "cat", input=b"abc").stdout == b""


def test_without_input_stdin_is_dev_null_as_it_is_here(anywhere: Project) -> None:
    script = "[ /dev/stdin -ef /dev/null ] && cat && echo x"
    assert anywhere.run("sh", "-c", script).stdout == b"x\n"
    assert anywhere.run("-n", "sh", "-c", script, input=b"abc").stdout == b"x\n"


@pytest.mark.parametrize("given", [{"input": b"x"}, {"input": b""}, {}], ids=["input", "end", "none"])
def test_stderr_is_complete_after_stdout_was_closed(anywhere: Project, given: dict[str, Any]) -> None:
    result = anywhere.run("sh", "-c", "exec >&-; sleep 0.5; seq 1000 >&2", **given)
    assert (result.stdout, result.returncode) == (b"", 0)
    assert result.stderr.split() == [b"%d" % number for number in range(1, 1001)]


def test_a_command_that_closes_its_streams_and_continues_is_not_regarded_as_ended(project: Project) -> None:
    with project.start("sh", "-c", "echo x; exec >&- 2>&-; read -r line; exit 3") as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.read() == b"x\n"
        assert process.poll() is None
        process.stdin.write(b"go on\n")
        process.stdin.close()
        assert process.wait(30) == 3


def test_output_arrives_as_it_is_written(project: Project) -> None:
    with project.start("sh", "-c", "echo first; read line; echo second $line") as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == b"first\n"
        process.stdin.write(b"x\n")
        process.stdin.close()
        assert process.stdout.readline() == b"second x\n"


def test_a_reader_that_goes_away_ends_the_command_as_sigpipe_does(project: Project) -> None:
    started = time.monotonic()
    result = project.shell("rdo yes | head -1; echo ${PIPESTATUS[0]}")
    assert result.stdout == b"y\n141\n"
    assert time.monotonic() - started < 10


def test_a_command_that_ignores_sigpipe_still_learns_that_its_reader_is_gone(project: Project) -> None:
    script = "import sys\ntry:\n  while True: print('x' * 1000)\nexcept BrokenPipeError: sys.exit(9)"
    result = project.shell(f'rdo python3 -c "{script}" 2>/dev/null | head -c 1; echo ${{PIPESTATUS[0]}}')
    assert result.stdout == b"x9\n" or result.stdout == b"x120\n"


@pytest.mark.soak
def test_a_reader_that_closes_at_once_causes_neither_traceback_nor_hang(anywhere: Project, counted: Counted) -> None:
    for number in counted("outputs without a reader", range(tries(10, 100))):
        result = anywhere.shell(f"rdo echo {number} | true; echo ${{PIPESTATUS[0]}}")
        assert result.stdout in (b"0\n", b"141\n"), result.stderr
        assert result.stderr == b""


def test_a_reader_that_closes_during_long_output_ends_the_command(project: Project) -> None:
    result = project.shell("rdo head -c 100000000 /dev/zero | head -c 3000000 | wc -c; echo ${PIPESTATUS[0]}")
    assert result.stdout.split() == [b"3000000", b"141"]


@pytest.mark.parametrize("stream", ["1", "2"])
def test_long_output_is_complete_on_a_non_blocking_pipe(stream: str, project: Project) -> None:
    here, there = os.pipe()
    os.set_blocking(there, False)
    script = f"i=0; while [ $i -lt 40 ]; do head -c 100000 /dev/urandom; i=$((i+1)); done | tee sent >&{stream}"
    target: dict[str, Any] = {"stdout" if stream == "1" else "stderr": there}
    with open(here, "rb") as reader, project.start("sh", "-c", script, **target) as process:
        os.close(there)
        received = reader.read()
        assert process.wait(30) == 0
    assert received == (project.remote / "sent").read_bytes()
    assert len(received) == 4_000_000


def test_a_slow_reader_stops_the_remote_writer(project: Project) -> None:
    written = project.remote / "written"
    script = f"i=0; while [ $i -lt 400 ]; do head -c 100000 /dev/zero; i=$((i+1)); echo >>'{written.name}'; done"
    with project.start("sh", "-c", script) as process:
        assert process.stdout
        process.stdout.read(1)
        assert wait_until(partial(rests, written), TIMEOUT)
        assert written.stat().st_size < 200
        assert len(process.stdout.read()) == 40_000_000 - 1


def rests(path: Path) -> bool:
    """Whether nothing is added to a file for a while."""
    before = path.stat().st_size if path.exists() else -1
    time.sleep(0.5)
    return path.exists() and path.stat().st_size == before


def test_input_that_the_command_does_not_read_blocks_neither_signals_nor_the_end(project: Project) -> None:
    line = "head -c 20000000 /dev/zero | rdo sh -c 'echo ready >&2; sleep 0.3; exit 4'; echo ${PIPESTATUS[1]}"
    assert project.shell(line).stdout == b"4\n"


def test_a_loop_that_reads_the_same_input_continues_with_n(project: Project) -> None:
    line = "printf '1\\n2\\n3\\n' | while read x; do rdo -n echo $x; done"
    assert project.shell(line).stdout == b"1\n2\n3\n"


@pytest.mark.soak
def test_eight_concurrent_clients_each_get_their_own_output(anywhere: Project, counted: Counted) -> None:
    each = tries(4, 50)
    loop = f"for i in $(seq {each}); do rdo echo $c-$i; done >out.$c 2>&1"
    assert anywhere.shell(f"for c in 1 2 3 4 5 6 7 8; do ({loop}) & done; wait").returncode == 0
    for client in range(1, 9):
        found = iter((anywhere.local / f"out.{client}").read_text().splitlines())
        for number in counted(f"echoes compared, client {client} of 8", range(1, each + 1)):
            assert next(found) == f"{client}-{number}"
        assert list(found) == []


def test_a_full_disk_is_reported_in_one_line(project: Project) -> None:
    result = project.shell("rdo seq 100000 > /dev/full")
    assert result.returncode == 255
    assert result.stderr == b"rdo: cannot write to stdout: no space left on device\n"


@pytest.mark.parametrize("source", ["</dev/null", "< <(:)", "< <(printf x)"])
def test_a_terminal_without_a_person_still_sees_the_end_of_input(source: str, project: Project) -> None:
    result = project.shell(f"rdo -t cat {source}; echo ' ' $?")
    assert result.stdout.split()[-1] == b"0"
