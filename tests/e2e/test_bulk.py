"""Tests for large amounts of data: complete, without growing memory, and while the server changes its keys."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest

from tests.e2e.masters import masters
from tests.e2e.project import Project, ssh_project
from tests.soak import Counted, tries
from tests.sshd import Sshd

MIB = 1024 * 1024
BLOCK = os.urandom(16 * MIB)
GROWTH = 64 * MIB
"""Bytes by which a master may grow, whatever passes through it."""


def pieces(count: int) -> Iterator[bytes]:
    """A stream that never repeats itself, in pieces of 16 MiB. SENDER produces the same one."""
    return (b"%d\n" % number + BLOCK for number in range(count))


SENDER = "i=0; while [ $i -lt {count} ]; do echo $i; cat block; i=$((i+1)); done"


def digest_of(stream: Iterator[bytes] | IO[bytes]) -> str:
    """The SHA-256 of everything that is read."""
    digest = hashlib.sha256()
    for data in stream if isinstance(stream, Iterator) else iter(lambda: stream.read(MIB), b""):
        digest.update(data)
    return digest.hexdigest()


def memory(pid: int) -> int:
    """The memory of a process, in bytes."""
    listed = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], check=True, capture_output=True, text=True)
    return int(listed.stdout) * 1024


@pytest.mark.soak
def test_gigabytes_from_the_target_arrive_completely_and_the_master_stays_small(
    anywhere: Project, counted: Counted
) -> None:
    count = tries(2, 256)
    (anywhere.remote / "block").write_bytes(BLOCK)
    assert anywhere.run("true").returncode == 0
    (master,) = masters(anywhere)
    before = memory(master)
    digest = hashlib.sha256()
    with anywhere.start("sh", "-c", SENDER.format(count=count)) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.close()
        for expected in counted("pieces of 16 MiB from the target", pieces(count)):
            digest.update(process.stdout.read(len(expected)))
            assert memory(master) - before < GROWTH
        assert (process.stdout.read(1), process.wait()) == (b"", 0)
    assert digest.hexdigest() == digest_of(pieces(count))


@pytest.mark.soak
def test_gigabytes_to_the_target_arrive_completely_and_the_master_stays_small(
    anywhere: Project, counted: Counted
) -> None:
    count = tries(2, 256)
    assert anywhere.run("true").returncode == 0
    (master,) = masters(anywhere)
    before = memory(master)
    with anywhere.start("sha256sum") as process:
        assert process.stdin
        assert process.stdout
        for piece in counted("pieces of 16 MiB to the target", pieces(count)):
            process.stdin.write(piece)
            assert memory(master) - before < GROWTH
        process.stdin.close()
        assert process.stdout.read().decode().split()[0] == digest_of(pieces(count))
        assert process.wait() == 0


@pytest.mark.soak
def test_two_gigabytes_through_a_command_are_complete_each_time(project: Project, counted: Counted) -> None:
    count = tries(2, 128)
    expected = digest_of(pieces(count))
    for _ in counted(f"{count * 16 / 1024:.2g} GiB through `cat`", range(tries(1, 10))):
        assert echo(project, count) == expected


@pytest.mark.soak
def test_three_bidirectional_commands_lose_nothing_while_keys_change(
    tmp_path: Path, runtime: dict[str, str], own_sshd: Callable[..., Sshd], counted: Counted
) -> None:
    server = own_sshd("RekeyLimit 1M", "LogLevel DEBUG1").start()
    project = ssh_project(tmp_path, runtime, server)
    count = tries(1, 2)
    for _ in counted("times three busy commands over changing keys", range(tries(1, 10))):
        with ThreadPoolExecutor(3) as pool:
            found = list(pool.map(echo, [project] * 3, [count] * 3))
        assert found == [digest_of(pieces(count))] * 3
    assert server.log.count("SSH2_MSG_NEWKEYS received") > tries(1, 10) * 3 * 16 * count


def echo(project: Project, count: int) -> str:
    """The digest of what `rdo cat` returns for this many pieces."""
    with project.start("cat") as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        writer = threading.Thread(target=feed, args=(process.stdin, pieces(count)))
        writer.start()
        digest = digest_of(process.stdout)
        writer.join()
        assert (process.stderr.read(), process.wait()) == (b"", 0)
    return digest


def feed(stream: IO[bytes], data: Iterator[bytes]) -> None:
    """Write everything, and the end."""
    with stream:
        for piece in data:
            stream.write(piece)
