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
"""Seconds for a master to answer. It does so before anything slow, so that a silent one is wedged."""

STOP_TIMEOUT = 15.0
"""Seconds for a master to close connections, for which it allows itself 10."""

PARALLEL_LIMIT = 16
"""Masters that are asked at a time, so that several wedged ones cost no more than one."""

SOCKET_NAME = re.compile(r"control(-[0-9a-f]{16})?(\.[0-9a-f]+)?")
"""One that is ending has a number after its name, to make room for a new one."""

READ_SIZE = 64 * 1024

T = TypeVar("T")
R = TypeVar("R")

Report = Mapping[str, Any]
"""What a master says of itself: `_report` in rdo/master/daemon.py."""

NO_REPORT: Report = {}


class MasterInfo(NamedTuple):
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
    def targets(self) -> list[TargetInfo]:
        """Its targets, in the order of their names."""
        return sorted(map(_target, self.report.get("targets", ())))


class TargetInfo(NamedTuple):
    """A target of a master, as PROTOCOL.md has it."""

    name: str = ""
    number: int = 0
    driver: str = ""
    details: Mapping[str, str] = NO_REPORT
    """What tells it apart from others of its name."""
    profiles: Sequence[Mapping[str, str]] = ()
    running: Sequence[str] = ()
    """Its commands, as typed."""
    connections: int = 0
    started: float = 0.0
    """Seconds since the epoch."""
    idle_timeout: float = 0.0
    idle_left: float | None = None
    """Seconds until it is closed because it is idle; None while a command runs, and if it never is."""
    ending: bool = False
    syncs: Sequence[Mapping[str, str]] = ()
    """The projects whose files are copied there: `root` here and `directory` there."""

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
    """A target as a master of another release may have it, too."""
    return TargetInfo(**{name: report[name] for name in TargetInfo._fields if name in report})


def found(directory: str) -> list[MasterInfo]:
    """All masters with sockets in the runtime directory: one, unless callers have to be kept apart, or one is ending.

    What others have left there that were killed is removed: nobody else does that.
    """
    stale_files.clear(directory)
    paths = [f"{directory}/{name}" for name in os.listdir(directory) if SOCKET_NAME.fullmatch(name)]
    return [master for master in at_once(query, sorted(paths)) if master]


def at_once(call: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """The result of each call, in order: those that take their time cost no more than one."""
    if len(items) < 2:
        return list(map(call, items))
    from concurrent.futures import ThreadPoolExecutor  # loads `logging`; there is one master nearly always

    with ThreadPoolExecutor(PARALLEL_LIMIT) as pool:
        return list(pool.map(call, items))


def query(path: str) -> MasterInfo | None:
    """The master that listens at `path`; None where none does."""
    return _ask(path, protocol.frame(protocol.QUERY))


def stop(master: MasterInfo, now: bool, targets: Iterable[TargetInfo] = ()) -> MasterInfo | None:
    """Ask it to close the targets, or else to end, after the commands or at once. Its answer, which comes when what
    could be closed is; None if it was gone already.
    """
    fields = ["1" if now else "0", *(str(target.number) for target in targets)]
    return _ask(master.path, protocol.frame(protocol.STOP, "\0".join(fields).encode()), STOP_TIMEOUT)


def ask(master: MasterInfo, verb: str, question: Mapping[str, object]) -> Report:
    """The answer to a question other than for the report: see rdo/master/queries.py. Raises RdoError."""
    payload = f"{verb}\0{json.dumps(question)}".encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_TIMEOUT)
        try:
            connection.connect(master.path)
            connection.sendall(protocol.frame(protocol.QUERY, payload))
            answer = _receive(connection, STOP_TIMEOUT)
        except (OSError, ValueError):
            raise RdoError("the control master does not answer", "", "see `rdoctl status`") from None
    if "targets" in answer:  # it is of an older release, and takes this for the question that it knows
        raise RdoError("the control master is of an older release", "", "type `rdoctl stop --all`, and try again")
    return answer


def is_master(pid: int) -> bool:
    """Whether the process of that number is a control master, and not another one that got its number."""
    seen = process.look(pid)
    return seen is not None and f"{startup.ENTRY} " in seen.command


def _ask(path: str, question: bytes, timeout: float = ANSWER_TIMEOUT) -> MasterInfo | None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_TIMEOUT)
        try:
            connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError:  # its queue is full: it accepts nobody
            return MasterInfo(path, None, NO_REPORT)
        try:
            pid = peercred.pid(connection)  # of whom has made the socket: systemd, for one that it hands over
            connection.sendall(question)
            report = _receive(connection, timeout)
            return MasterInfo(path, _process(pid, report["pid"]), report)
        except (BrokenPipeError, ConnectionResetError):  # it has ended in the meantime
            return None
        except (OSError, RdoError, ValueError):
            return MasterInfo(path, pid or None, NO_REPORT)


def _process(listener: int | None, reported: int) -> int | None:
    """The master's number among the processes that are seen from here. Its own word counts, unless it has another one
    where it runs, in a container.
    """
    if listener is None or listener == reported or (not is_master(listener) and is_master(reported)):
        return reported
    return listener or None


def _receive(connection: socket.socket, timeout: float) -> Report:
    """The report. Raises OSError, RdoError and ValueError where none comes in time."""
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
