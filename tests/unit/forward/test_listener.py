"""Where a Unix socket that a forward listens on takes the place of what is there, and where it does not."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from rdo.config.forwards import Endpoint
from rdo.errors import SetupError
from rdo.forward.listener import listen


def test_a_socket_on_which_nobody_listens_any_more_makes_way(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
        killed.listen()
    listener = listen(Endpoint(path=str(path)))
    with listener.sockets[0] as listening, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        listening.accept()[0].close()
        with pytest.raises(SetupError, match="something is there already; remove it, or choose another path"):
            listen(Endpoint(path=str(path)))
        listener.remove()
    assert not path.exists()


def test_a_server_with_no_room_for_one_more_stays(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as first:
        server.bind(path)
        server.listen(0)
        first.connect(path)
        with pytest.raises(SetupError):
            listen(Endpoint(path=path))
        server.accept()[0].close()


@pytest.mark.parametrize("kind", ["file", "directory", "link", "datagrams"])
def test_whatever_else_is_there_stays(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams, socket.socket(socket.AF_UNIX) as dead:
        if kind == "file":
            path.touch()
        elif kind == "directory":
            path.mkdir()
        elif kind == "link":
            dead.bind(str(tmp_path / "there"))
            path.symlink_to("there")
        else:
            datagrams.bind(str(path))
        with pytest.raises(SetupError, match="something is there already"):
            listen(Endpoint(path=str(path)))
    assert path.exists()
