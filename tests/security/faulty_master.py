"""A control master with an injected fault: the real one, in which one method raises an exception."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from rdo.ipc import address
from rdo.ipc.release import release
from tests.e2e.project import Project

MASTER = """
import importlib, sys, threading
from rdo.drivers.local import driver, target

place, kind, countdown, count, switch = sys.argv[1:6]
owner, _, name = place.rpartition(".")
module, _, owner = owner.rpartition(".")
owners = {"Thread": threading.Thread, **vars(driver), **vars(target)}
held = getattr(importlib.import_module(module), owner) if module else owners[owner]
name, thread = ("start", name) if owner == "Thread" else (name, "")
whole = getattr(held, name)
calls = 0

def faulty(*arguments, **named):
    global calls
    with open(switch) as file:
        if file.read() != "on" or thread and arguments[0].name != thread:
            return whole(*arguments, **named)
    with open(count, "a") as file:
        file.write("x")
    calls += 1
    if calls <= int(countdown):
        return whole(*arguments, **named)
    if name == "connect":
        arguments[1].ask("password: ", echo=False)
    raise {"ValueError": ValueError("planted"), "MemoryError": MemoryError(), "RecursionError": RecursionError("deep"),
           "SystemExit": SystemExit(3), "RuntimeError": RuntimeError("can't start new thread")}[kind]

setattr(held, name, faulty)
from rdo.pool.shared_attempt import SharedAttempt
result = SharedAttempt.result

def counted(attempt):
    with open(count + ".shared", "a") as file:
        file.write("x")
    return result(attempt)

SharedAttempt.result = counted
sys.argv[1:] = sys.argv[6:]
from rdo.master.daemon import main
main()
"""


class FaultyMaster:
    """A master that serves a project's commands. The fault can be switched off."""

    def __init__(self, directory: Path, pid: int, log: Path) -> None:
        self.pid = pid
        self.log = log
        self._directory = directory

    @property
    def calls(self) -> int:
        """The number of calls of the faulty method."""
        return len((self._directory / "count").read_text())

    @property
    def waiting(self) -> int:
        """The number of commands that have waited, or are waiting, for another one's attempt to connect."""
        return len((self._directory / "count.shared").read_text())

    def disable_fault(self) -> None:
        (self._directory / "switch").write_text("off")

    def enable_fault(self) -> None:
        """Enable the fault again after `disable_fault`."""
        (self._directory / "switch").write_text("on")


@contextlib.contextmanager
def faulty_master(project: Project, directory: Path, place: str, kind: str, after: int = 0) -> Iterator[FaultyMaster]:
    """A master in which the method `place` raises an exception of that kind, after the first `after` calls.

    `place` includes its module if that is not rdo.drivers.local. `Thread.NAME` is the start of a thread with that name.
    """
    path = address.socket_path(address.runtime_directory(project.environment))
    (directory / "count").touch()
    (directory / "count.shared").touch()
    (directory / "switch").write_text("on")
    program = [
        sys.executable,
        "-c",
        MASTER,
        place,
        kind,
        str(after),
        str(directory / "count"),
        str(directory / "switch"),
    ]
    arguments = [path, release().decode()]
    ready, report = os.pipe()
    with open(ready, "rb") as heard, open(f"{path}.log", "ab") as log, subprocess.Popen(
        ["bash", "-c", 'exec 3>&"$0" && exec "$@"', str(report), *program, *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=dict(project.environment), cwd="/",
        pass_fds=[report],
    ) as master:  # fmt: skip
        os.close(report)
        try:
            assert heard.read(1) == b"\0"
            yield FaultyMaster(directory, master.pid, Path(f"{path}.log"))
        finally:
            master.terminate()
