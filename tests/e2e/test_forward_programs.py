"""Tests with real servers and clients that communicate through a forwarded port, of a host and of a container."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.docker_engine import DockerEngine
from tests.e2e.project import TIMEOUT, Project, docker_project, ssh_project
from tests.e2e.served import SYSTEM_PYTHON, ask, file_server, has_websockets, needs, postgres, redis, running
from tests.leaks import wait_until
from tests.ssh_server import free_port
from tests.sshd import Sshd
from tests.tcp_server import read_all, server

pytestmark = pytest.mark.usefixtures("lent")

MEGABYTE = 1024 * 1024

Forward = Callable[[int], int]
"""Forwards a remote port. Returns the local port."""


@pytest.fixture(params=["ssh", "docker"])
def project(
    request: pytest.FixtureRequest, tmp_path: Path, runtime: dict[str, str], sshd: Sshd, docker_engine: DockerEngine
) -> Iterator[Project]:
    """A project on each kind of target, which has this machine's network."""
    if request.param == "ssh":
        yield ssh_project(tmp_path, runtime, sshd)
        return
    with docker_engine.container(mounts={tmp_path: str(tmp_path)}, network_mode="host") as name:
        yield docker_project(tmp_path, runtime, docker_engine, name)


@pytest.fixture
def forward(project: Project) -> Iterator[Forward]:
    """See Forward. Each forward lasts until the test ends."""
    with ExitStack() as stack:

        def begin(port: int) -> int:
            here = free_port()
            words = ("-L", f"{here}:localhost:{port}", "sh", "-c", "echo up; cat")
            stack.enter_context(project.start(*words)).expect_up()
            return here

        yield begin


@needs("curl")
def test_the_server_of_python_serves_files_and_errors(project: Project, forward: Forward) -> None:
    (project.remote / "page").write_bytes(b"served there\n")
    with file_server(project.remote) as port:
        url = f"http://localhost:{forward(port)}"
        got = ask("curl", "-sS", "-w", "%{http_code} ", f"{url}/page", f"{url}/nothing", "-o", "/dev/stdout")
        assert got.stdout.startswith(b"served there\n200 "), got.stderr
        assert got.stdout.endswith(b"404 ")


@pytest.mark.long
@needs("curl")
def test_a_gigabyte_over_ssh_or_an_eighth_from_a_container_arrives_unchanged(
    project: Project, forward: Forward
) -> None:
    rest = os.urandom(MEGABYTE - 8)
    pieces = 128 if project.takes_long else 1024  # ssh changes its keys meanwhile, which does not apply to an engine
    with (project.remote / "large").open("wb") as file:
        file.writelines(number.to_bytes(8, "big") + rest for number in range(pieces))
    with file_server(project.remote) as port:
        words = ["curl", "-sS", "--fail", f"http://localhost:{forward(port)}/large"]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as client:
            assert client.stdout is not None
            found = (client.stdout.read(MEGABYTE) for _ in range(pieces))
            is_same = all(data == number.to_bytes(8, "big") + rest for number, data in enumerate(found))
            is_over = not client.stdout.read(1)
    assert (client.returncode, is_same, is_over) == (0, True, True)


@needs("curl")
def test_events_of_a_stream_arrive_one_by_one_as_they_are_sent(forward: Forward) -> None:
    step = threading.Semaphore(0)

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for number in range(10):
            assert step.acquire(timeout=TIMEOUT)
            connection.sendall(b"data: %d\n\n" % number)

    with server(serve) as port:
        words = ["curl", "-sSN", f"http://localhost:{forward(port)}/events"]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as client:
            assert client.stdout is not None
            for number in range(10):
                step.release()
                assert client.stdout.readline() == b"data: %d\n" % number
                assert client.stdout.readline() == b"\n"
    assert client.returncode == 0


ECHO = """
import asyncio, sys, websockets

async def echo(socket):
    async for message in socket:
        await socket.send(message)

async def main():
    async with websockets.serve(echo, "127.0.0.1", int(sys.argv[1]), max_size=None):
        await asyncio.Future()

asyncio.run(main())
"""

TALK = """
import asyncio, os, sys, websockets

async def main():
    async with websockets.connect(f"ws://localhost:{sys.argv[1]}/", max_size=None) as socket:
        for message in ["hello", os.urandom(100), "\\u00fc" * 1000, os.urandom(3_000_000), *map(str, range(500))]:
            await socket.send(message)
            assert await socket.recv() == message
        await (await socket.ping())
    print("closed with", socket.close_code)

asyncio.run(main())
"""


@pytest.mark.skipif(not has_websockets(), reason="not installed: python3-websockets")
def test_messages_of_a_websocket_are_echoed(forward: Forward) -> None:
    port = free_port()
    with running([SYSTEM_PYTHON, "-c", ECHO, str(port)], port):
        done = ask(SYSTEM_PYTHON, "-c", TALK, str(forward(port)))
    assert (done.stdout, done.stderr) == (b"closed with 1000\n", b"")


@needs("redis-server", "redis-cli")
def test_redis_works_with_pipelines_and_subscriptions(forward: Forward) -> None:
    with redis() as port:
        client = ("redis-cli", "-p", str(forward(port)))
        assert ask(*client, "SET", "key", "value").stdout == b"OK\n"
        many = b"".join(b"SET key%d %d\r\n" % (number, number) for number in range(10_000))
        assert ask(*client, "--pipe", input=many).stdout.endswith(b"errors: 0, replies: 10000\n")
        assert ask(*client, "GET", "key9999").stdout == b"9999\n"
        with subprocess.Popen([*client, "SUBSCRIBE", "news"], stdout=subprocess.PIPE) as subscriber:
            assert subscriber.stdout is not None
            assert [subscriber.stdout.readline() for _ in range(3)] == [b"subscribe\n", b"news\n", b"1\n"]
            assert ask(*client, "PUBLISH", "news", "hello").stdout == b"1\n"
            assert [subscriber.stdout.readline() for _ in range(3)] == [b"message\n", b"news\n", b"hello\n"]
            subscriber.terminate()


@pytest.mark.long
@needs("psql", "postgres", "initdb")
def test_postgresql_works_with_copies_and_cancelled_queries(forward: Forward) -> None:
    rows = b"".join(b"%d\tline %d\n" % (number, number) for number in range(100_000))
    with postgres() as port:
        psql = ("psql", "-X", "-q", "-At", "-h", "localhost", "-p", str(forward(port)), "-U", "tester", "postgres")
        assert ask(*psql, "-c", "create table lines (number int, text text)").stderr == b""
        assert ask(*psql, "-c", r"\copy lines from pstdin", input=rows).stderr == b""
        assert ask(*psql, "-c", "select count(*), sum(number) from lines").stdout == b"100000|4999950000\n"
        assert ask(*psql, "-c", r"\copy (select * from lines order by number) to stdout").stdout == rows
        with subprocess.Popen([*psql, "-c", "select pg_sleep(60)"], stderr=subprocess.PIPE) as slow:
            running_query = b"select count(*) from pg_stat_activity where query like 'select pg_sleep%'"
            assert wait_until(lambda: ask(*psql, "-c", running_query.decode()).stdout == b"1\n", TIMEOUT)
            slow.send_signal(signal.SIGINT)  # psql requests it over a separate connection
            assert slow.stderr is not None
            assert b"canceling statement due to user request" in slow.stderr.read()


@needs("curl")
def test_many_simultaneous_downloads_are_complete(project: Project, forward: Forward) -> None:
    count = 8 if project.takes_long else 40
    data = os.urandom(300_000)

    def serve(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        read_all(connection)

    with server(serve) as port:
        here = forward(port)
        words = ["curl", "-sS", "--http0.9", f"http://localhost:{here}/"]
        clients = [subprocess.Popen(words, stdout=subprocess.PIPE) for _ in range(count)]
        assert all(client.communicate()[0] == data for client in clients)
