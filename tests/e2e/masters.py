"""The control masters of a project, seen from outside: their processes, sockets, and replies."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rdo.client import spawn_master
from rdo.ipc import protocol
from rdo.ipc.startup import ENTRY
from rdo.master import socket_activation
from tests.e2e.project import Project
from tests.leaks import wait_until
from tests.processes import listed_processes, wait_for_ends
from tests.sshd import Sshd

END_TIMEOUT = 10.0
"""Seconds for a master to be gone after it was told to end."""


def masters(project: Project) -> list[int]:
    """The process IDs of the masters in the project's runtime directory, without their forked children that have not
    become another program yet.
    """
    place = f"{project.environment['XDG_RUNTIME_DIR']}/rdo/control"
    listed = listed_processes().items()
    found = {pid: each.parent for pid, each in listed if ENTRY in each.command and place in each.command}
    return sorted(pid for pid, parent in found.items() if parent not in found)


def suspend(master: int) -> None:
    """Stop it, and wait until all of its threads have stopped. Until then, it may still serve a command."""
    os.kill(master, signal.SIGSTOP)
    assert wait_until(lambda: set(_thread_states(master)) == {"T"}, END_TIMEOUT)


def _thread_states(pid: int) -> Iterator[str]:
    tasks = Path(f"/proc/{pid}/task")
    if not tasks.exists():
        yield subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=True).stdout[
            0
        ]
        return
    for task in tasks.iterdir():
        yield (task / "stat").read_text().rpartition(")")[2].split()[0]


def sockets(project: Project) -> list[Path]:
    """The control sockets in the runtime directory."""
    return [path for path in Path(project.environment["XDG_RUNTIME_DIR"], "rdo").iterdir() if path.is_socket()]


def logins(server: Sshd) -> int:
    """The number of logins to the server so far."""
    return server.log.count("Accepted publickey")


def answer(path: Path, frame: bytes) -> list[protocol.Frame]:
    """All frames that a master replies with. Raises OSError if none listens, or none replies."""
    decoder = protocol.Decoder()
    frames: list[protocol.Frame] = []
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(END_TIMEOUT)
        connection.connect(str(path))
        connection.sendall(frame)
        while data := connection.recv(65536):
            frames += decoder.receive(data)
    return frames


def report(project: Project) -> dict[str, Any]:
    """The report of the project's only master, as for `rdoctl status`."""
    (path,) = sockets(project)
    ((kind, payload),) = answer(path, protocol.frame(protocol.QUERY))
    assert kind == protocol.REPORT
    return dict(json.loads(bytes(payload)))


def log(project: Project) -> str:
    """The logs of the project's masters, to be shown if a test fails."""
    return Path(project.environment["XDG_RUNTIME_DIR"], "rdo", "control.log").read_text(errors="replace")


@contextlib.contextmanager
def served_by_systemd(project: Project, **more: str) -> Iterator[int]:
    """Start a control master with a socket on which its parent listens, here instead of systemd. Yields its process ID.
    It has `more` variables.
    """
    path = Path(project.environment["XDG_RUNTIME_DIR"], "rdo", "control")
    path.parent.mkdir(0o700, exist_ok=True)
    start = [*spawn_master.python(ENTRY), str(path)]
    take_over = f'exec {socket_activation.FIRST_DESCRIPTOR}<&$0; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        argv = ["bash", "-c", take_over, str(listener.fileno()), *start]
        environment = {**project.environment, **more}
        with subprocess.Popen(argv, env=environment, pass_fds=(listener.fileno(),)) as process:
            try:
                yield process.pid
                process.wait(END_TIMEOUT)
            finally:
                process.kill()


def targets(project: Project) -> frozenset[int]:
    """The numbers of the targets of the project's only master."""
    return frozenset(target["number"] for target in report(project)["targets"])


def close(project: Project, numbers: Iterable[int]) -> None:
    """Close some targets of that master, ending what runs there."""
    if chosen := [str(number).encode() for number in numbers]:
        (path,) = sockets(project)
        answer(path, protocol.frame(protocol.STOP, b"\0".join([b"1", *chosen])))


def stop(project: Project) -> None:
    """End the project's masters, so that the next command is a first one."""
    running = masters(project)
    for path in sockets(project):
        answer(path, protocol.frame(protocol.STOP, b"1"))
    wait_for_ends(running, END_TIMEOUT)
    assert not masters(project)
