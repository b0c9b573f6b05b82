"""Tests for a client of another version: the master is replaced by one of that version, after its commands have
ended.
"""

from __future__ import annotations

import os

import rdo
from rdo.ipc import protocol
from rdo.ipc.release import release
from tests.e2e.masters import END_TIMEOUT, answer, masters, sockets
from tests.e2e.project import Project
from tests.leaks import wait_until


def test_a_client_of_another_version_gets_a_new_master_and_the_old_one_ends(
    project: Project,
) -> None:
    with project.start("sh", "-c", "echo up; read line; exit 4") as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        (path,) = sockets(project)
        (old,) = masters(project)
        request = b"\0".join([b"0", b"whatever a later version says"])
        assert answer(path, protocol.frame(protocol.RUN, request)) == [(protocol.STALE, b"")]
        assert not path.exists()
        assert project.run("echo", "new").stdout == b"new\n"
        assert len(masters(project)) == 2
        process.stdin.close()
        assert process.wait() == 4
    assert wait_until(lambda: old not in masters(project), END_TIMEOUT)
    assert len(masters(project)) == 1
    assert project.run("true").returncode == 0


def test_a_peer_that_sends_invalid_data_is_disconnected_and_the_master_continues(project: Project) -> None:
    assert project.run("true").returncode == 0
    (path,) = sockets(project)
    cut_off = protocol.frame(protocol.RUN, b"\0".join([release(), os.fsencode(rdo.__path__[0]), b"x"]))
    for nonsense in (b"GET / HTTP/1.1\r\n\r\n", protocol.frame(b"?"), cut_off, b"\xff" * 9):
        frames = answer(path, nonsense + b"\0" * 8)
        assert [kind for kind, _ in frames] == [protocol.FAILED]
    assert sockets(project) == [path]
    assert project.run("echo", "x").stdout == b"x\n"
