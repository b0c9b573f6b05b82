"""The control masters of this user, as seen from outside: found by their sockets, queried, and stopped."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from rdo.cli import process
from rdo.errors import RdoError
from rdo.ipc import peercred, protocol, startup
from rdo.master import stale_files

ANSWER_TIMEOUT = 3.0
"""Seconds for a master to answer. It does so before anything slow, so that a silent one is wedged."""

MOST_AT_ONCE = 16
"""Masters that are asked at a time, so that several wedged ones cost no more than one."""

SOCKET_NAME = re.compile(r"[0-9a-f]{16}(\.[0-9a-f]+)?")
"""One that is ending has a number after its name, to make room for a new one."""

READ_SIZE = 64 * 1024

Report = Mapping[str, Any]
"""What a master says of itself: `_report` in rdo/master/daemon.py."""

NO_REPORT: Report = {}


@dataclass(frozen=True)
class MasterInfo:
    """A control master. `report` is empty if it does not answer; `pid` is None if it is then unknown."""

    path: str
    pid: int | None
    report: Report

    @property
    def answers(self) -> bool:
        return bool(self.report)

    @property
    def running(self) -> list[str]:
        """Its commands, as typed."""
        return list(self.report.get("running", ()))

    @property
    def age(self) -> float | None:
        """Seconds since it started."""
        return max(0.0, time.time() - self.report["started"]) if self.answers else None

    @property
    def idle_left(self) -> float | None:
        """Seconds until it ends because it is idle; None while one runs, and if it never does."""
        timeout = self.report.get("idle_timeout")
        return max(0.0, timeout - self.report["idle_for"]) if timeout and not self.running else None

    @property
    def name(self) -> str:
        """For people: the profile and the config file, as far as they are known."""
        if not self.answers:
            return f"the master at {self.path}"
        return f"`{self.report['profile']}` of {self.report['config']}"


def found(directory: str) -> list[MasterInfo]:
    """All masters whose sockets are in the runtime directory, in the order of their config files and profiles.

    What others have left there that were killed is removed: nobody else does that.
    """
    stale_files.clear(directory)
    paths = [f"{directory}/{name}" for name in os.listdir(directory) if SOCKET_NAME.fullmatch(name)]
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        masters = [master for master in pool.map(query, paths) if master]
    return sorted(masters, key=lambda master: (master.report.get("config", "~"), master.report.get("profile", "")))


def query(path: str) -> MasterInfo | None:
    """The master that listens at `path`; None where none does."""
    return _ask(path, protocol.frame(protocol.QUERY))


def stop(master: MasterInfo, now: bool) -> MasterInfo | None:
    """Ask it to end, after its running commands or at once. Its answer; None if it was gone already."""
    return _ask(master.path, protocol.frame(protocol.STOP, b"1" if now else b"0"))


def is_master(pid: int) -> bool:
    """Whether the process of that number is a control master, and not another one that got its number."""
    seen = process.look(pid)
    return seen is not None and f"{startup.ENTRY} " in seen.command


def _ask(path: str, question: bytes) -> MasterInfo | None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_TIMEOUT)
        try:
            connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError:  # its queue is full: it accepts nobody
            return MasterInfo(path, None, NO_REPORT)
        pid = peercred.pid(connection)
        with contextlib.suppress(OSError, RdoError, ValueError):
            connection.sendall(question)
            report = _receive(connection)
            return MasterInfo(path, report["pid"] if pid is None else pid or None, report)
        return MasterInfo(path, pid or None, NO_REPORT)


def _receive(connection: socket.socket) -> Report:
    """The report. Raises OSError, ProtocolError and ValueError where none comes in time."""
    decoder = protocol.Decoder()
    deadline = time.monotonic() + ANSWER_TIMEOUT
    while True:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        data = connection.recv(READ_SIZE)
        if not data:
            raise ConnectionResetError
        for kind, payload in decoder.receive(data):
            if kind == protocol.REPORT:
                report: Report = json.loads(bytes(payload))
                return report
