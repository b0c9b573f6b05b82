"""Tests for the listening socket that a service manager passes to a control master."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rdo.errors import SetupError
from rdo.master.socket_activation import LAUNCHD_LABEL, inherited_listener, systemd_descriptors
from tests.conftest import require
from tests.leaks import wait_until

TOP = Path(__file__).parents[3]

TIMEOUT = 30.0
"""Seconds, against hangs."""

DAEMON = """
import os, sys
sys.path.insert(0, sys.argv[1])
from rdo.master.socket_activation import inherited_listener
listener = inherited_listener(sys.argv[2], os.environ)
connection, _ = listener.accept()
connection.sendall(repr((listener.get_inheritable(), [name for name in os.environ if "LISTEN" in name])).encode())
"""

LAUNCHD = """
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
int launch_activate_socket(const char *name, int **fds, size_t *count) {
    if (strcmp(name, "control") != 0) return 2;
    if (getenv("NONE") != NULL) return 3;
    *count = 1;
    *fds = malloc(sizeof **fds);
    **fds = atoi(getenv("DESCRIPTOR"));
    return 0;
}
"""


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, []),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "1"}, [3]),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b", "LISTEN_PIDFDID": "5"}, [3, 4]),
        ({"LISTEN_PID": "8", "LISTEN_FDS": "1"}, []),
        ({"LISTEN_PID": "7"}, []),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "x"}, []),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "0"}, []),
    ],
)
def test_systemds_variables_name_the_descriptors_for_this_process(environ: dict[str, str], found: list[int]) -> None:
    environ["HOME"] = "/"
    assert systemd_descriptors(environ, 7) == found
    assert environ == {"HOME": "/"}


def test_without_a_service_manager_there_is_no_socket() -> None:
    assert inherited_listener("/nowhere", {"XPC_SERVICE_NAME": "0"}) is None


def listens(client: socket.socket, path: Path) -> bool:
    """Whether somebody listens there."""
    try:
        client.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    return True


def test_systemd_passes_the_socket(tmp_path: Path) -> None:
    program = shutil.which("systemd-socket-activate")
    if program is None:
        require("systemd", "it is not installed")
    path = tmp_path / "control"
    command = [program, "--listen", str(path), sys.executable, "-I", "-c", DAEMON, str(TOP), str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as daemon:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(TIMEOUT)
                assert wait_until(lambda: listens(client, path), TIMEOUT)
                assert client.recv(1000) == b"(False, [])"
        finally:
            daemon.terminate()


@pytest.fixture(scope="module")
def launchd(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A library with the function by which launchd passes sockets."""
    if shutil.which("cc") is None:
        require("cc", "there is no compiler")
    path = tmp_path_factory.mktemp("launchd") / "library.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", path], input=LAUNCHD, text=True, check=True)
    return str(path)


def test_launchd_passes_the_socket(tmp_path: Path, launchd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "control")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path)
        made.listen()
        monkeypatch.setenv("DESCRIPTOR", str(os.dup(made.fileno())))
        found = inherited_listener(path, {"XPC_SERVICE_NAME": LAUNCHD_LABEL}, launchd)
        assert found is not None
        with found:
            assert (found.getsockname(), found.get_inheritable()) == (path, False)


def test_without_a_socket_from_launchd_there_is_none(launchd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NONE", "1")
    assert inherited_listener("/nowhere", {"XPC_SERVICE_NAME": LAUNCHD_LABEL}, launchd) is None


@pytest.mark.parametrize("kind", ["elsewhere", "not listening", "datagrams", "of the network"])
def test_any_other_socket_is_refused(tmp_path: Path, launchd: str, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    path, family = str(tmp_path / "control"), socket.AF_INET if kind == "of the network" else socket.AF_UNIX
    with socket.socket(family, socket.SOCK_DGRAM if kind == "datagrams" else socket.SOCK_STREAM) as made:
        if family == socket.AF_UNIX:
            made.bind(str(tmp_path / "other") if kind == "elsewhere" else path)
        if kind in ("elsewhere", "of the network"):
            made.listen()
        monkeypatch.setenv("DESCRIPTOR", str(made.fileno()))
        with pytest.raises(SetupError, match="given another socket: it is to listen at"):
            inherited_listener(path, {"XPC_SERVICE_NAME": LAUNCHD_LABEL}, launchd)
