"""The control masters of this user, as seen from outside: found by their sockets, queried, and stopped."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from rdo.errors import RdoError
from rdo.ipc import peercred, protocol, startup
from rdo.master import stale_files
from rdo.util import process

ANSWER_TIMEOUT = 3.0
"""Seconds for a master to answer. It does so before anything slow, so one that does not answer is wedged."""

STOP_TIMEOUT = 15.0
"""Seconds for a master to close connections; it gives up by itself after 10."""

PARALLEL_LIMIT = 16
"""Masters that are queried at the same time, so that several wedged ones take no longer than one."""

SOCKET_NAME = re.compile(r"control(-[0-9a-f]{16})?(\.[0-9a-f]+)?")
"""Names of control sockets. That of a master that is ending has a number appended, to make room for a new one."""

READ_SIZE = 64 * 1024

T = TypeVar("T")
R = TypeVar("R")

Report = Mapping[str, Any]
"""What a master reports about itself: see `_report` in rdo/master/daemon.py."""

NO_REPORT: Report = {}


class MasterInfo(NamedTuple):
    """A control master. If it does not answer, `report` is empty, and `pid` is None unless it is known all the same."""

    path: str
    pid: int | None
    report: Report

    @property
    def answers(self) -> bool:
        return bool(self.report)

    @property
    def running(self) -> list[str]:
        """Its running commands, as typed."""
        return list(self.report.get("running", ()))

    @property
    def age(self) -> float | None:
        """Seconds since it started."""
        return max(0.0, time.time() - self.report["started"]) if self.answers else None

    @property
    def targets(self) -> list[TargetInfo]:
        """Its targets, in the order of their names."""
        return sorted(map(_target, self.report.get("targets", ())))


class TargetInfo(NamedTuple):
    """A target of a master, as specified in PROTOCOL.md."""

    name: str = ""
    number: int = 0
    driver: str = ""
    details: Mapping[str, str] = NO_REPORT
    """What distinguishes it from other targets of the same name."""
    profiles: Sequence[Mapping[str, str]] = ()
    running: Sequence[str] = ()
    """Its running commands, as typed."""
    connections: int = 0
    started: float = 0.0
    """Seconds since the epoch."""
    idle_timeout: float = 0.0
    idle_left: float | None = None
    """Seconds until it is closed because it is idle; None while a command runs, or if it is never closed."""
    ending: bool = False
    syncs: Sequence[Mapping[str, str]] = ()
    """The projects whose files are copied: from `root` on this machine to `directory` on the target."""

    forwards: Sequence[Mapping[str, Any]] = ()
    """The ports that are forwarded."""

    @property
    def age(self) -> float:
        """Seconds since it was first used."""
        return max(0.0, time.time() - self.started)

    def is_used_by(self, config: str, profile: str | None = None) -> bool:
        """Whether a profile of the config file has used it."""
        return any(each["config"] == config and profile in (None, each["profile"]) for each in self.profiles)


def _target(report: Report) -> TargetInfo:
    """Convert a target of a report, which may be that of another release's master."""
    return TargetInfo(**{name: report[name] for name in TargetInfo._fields if name in report})


def found(directory: str) -> list[MasterInfo]:
    """All masters with sockets in the runtime directory: one, unless callers have to be kept apart, or one is ending.

    Files left by masters that were killed are removed, which nothing else does.
    """
    stale_files.clear(directory)
    paths = [f"{directory}/{name}" for name in os.listdir(directory) if SOCKET_NAME.fullmatch(name)]
    return [master for master in at_once(query, sorted(paths)) if master]


def at_once(call: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """The results of the calls, in order. The calls run in parallel, so several slow ones take no longer than one."""
    if len(items) < 2:
        return list(map(call, items))
    from concurrent.futures import ThreadPoolExecutor  # loads `logging`; nearly always, there is only one master

    with ThreadPoolExecutor(PARALLEL_LIMIT) as pool:
        return list(pool.map(call, items))


def query(path: str) -> MasterInfo | None:
    """The master that listens at `path`; None if none does."""
    return _ask(path, protocol.frame(protocol.QUERY))


def stop(master: MasterInfo, now: bool, targets: Iterable[TargetInfo] = ()) -> MasterInfo | None:
    """Ask a master to close the targets or, without any, to end: now, or once the running commands have ended.

    Returns its answer, which comes when everything that can be closed was closed; None if the master was gone already.
    """
    fields = ["1" if now else "0", *(str(target.number) for target in targets)]
    return _ask(master.path, protocol.frame(protocol.STOP, "\0".join(fields).encode()), STOP_TIMEOUT)


def ask(master: MasterInfo, verb: str, question: Mapping[str, object]) -> Report:
    """The answer to one of the questions of rdo/master/queries.py. Raises RdoError."""
    payload = f"{verb}\0{json.dumps(question)}".encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_TIMEOUT)
        try:
            connection.connect(master.path)
            connection.sendall(protocol.frame(protocol.QUERY, payload))
            answer = _receive(connection, STOP_TIMEOUT)
        except (OSError, ValueError):
            raise RdoError("the control master does not answer", "", "see `rdoctl status`") from None
    if "targets" in answer:  # an older release, which takes any question for a request for the report
        raise RdoError("the control master is from an older release", "", "type `rdoctl stop --all`, and try again")
    return answer


def is_master(pid: int) -> bool:
    """Whether the process of that number is a control master, rather than another process that reuses the number."""
    seen = process.look(pid)
    return seen is not None and f"{startup.ENTRY} " in seen.command


def _ask(path: str, question: bytes, timeout: float = ANSWER_TIMEOUT) -> MasterInfo | None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_TIMEOUT)
        try:
            connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError:  # its queue is full: it does not accept connections
            return MasterInfo(path, None, NO_REPORT)
        try:
            pid = peercred.pid(connection)  # of the process that created the socket, which may be systemd
            connection.sendall(question)
            report = _receive(connection, timeout)
            return MasterInfo(path, _process(pid, report["pid"]), report)
        except (BrokenPipeError, ConnectionResetError):  # it has ended in the meantime
            return None
        except (OSError, RdoError, ValueError):
            return MasterInfo(path, pid or None, NO_REPORT)


def _process(listener: int | None, reported: int) -> int | None:
    """The master's process number as seen from here. The number it reports counts, unless it runs in a container, where
    its number is another one.
    """
    if listener is None or listener == reported or (not is_master(listener) and is_master(reported)):
        return reported
    return listener or None


def _receive(connection: socket.socket, timeout: float) -> Report:
    """Receive the report. Raises OSError, RdoError or ValueError if none arrives in time."""
    decoder = protocol.Decoder()
    deadline = time.monotonic() + timeout
    while True:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        data = connection.recv(READ_SIZE)
        if not data:
            raise ConnectionResetError
        for kind, payload in decoder.receive(data):
            if kind == protocol.FAILED:
                raise protocol.decode_failure(bytes(payload))
            if kind == protocol.REPORT:
                report: Report = json.loads(bytes(payload))
                return report
