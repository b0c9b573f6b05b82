"""A client of another version: the master makes room for one of that version, and lets what runs end."""

from __future__ import annotations

from rdo import protocol
from tests.e2e.masters import answer, sockets
from tests.e2e.project import Project
from tests.leaks import wait_until


def test_a_client_of_another_version_is_told_so_and_the_running_command_ends_as_it_would(project: Project) -> None:
    with project.start("sh", "-c", "echo up; sleep 1; exit 4") as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        (path,) = sockets(project)
        request = b"\0".join([b"0", b"whatever a later version says"])
        assert answer(path, protocol.frame(protocol.RUN, request)) == [(protocol.STALE, b"")]
        assert not path.exists()
        assert process.wait() == 4
    assert wait_until(lambda: not sockets(project), 5)
    assert project.run("true").returncode == 0


def test_a_peer_that_talks_nonsense_is_disconnected_and_the_master_goes_on(project: Project) -> None:
    assert project.run("true").returncode == 0
    (path,) = sockets(project)
    cut_off = protocol.frame(protocol.RUN, b"1\0x")
    for nonsense in (b"GET / HTTP/1.1\r\n\r\n", protocol.frame(b"?"), cut_off, b"\xff" * 9):
        frames = answer(path, nonsense + b"\0" * 8)
        assert [kind for kind, _ in frames] == [protocol.FAILED]
    assert sockets(project) == [path]
    assert project.run("echo", "x").stdout == b"x\n"
