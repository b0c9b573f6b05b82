"""Programs in a container that runs already: the engine's exec."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from rdo.drivers.base import Pty, WindowSize
from rdo.drivers.docker_channel import DockerChannel, IsCut
from rdo.drivers.docker_engine import CONSOLE_SIZE_SINCE, Engine, EngineError
from rdo.errors import ConnectError, LinkLost

DETACH_KEYS = "ctrl-^,ctrl-],ctrl-^,ctrl-@,ctrl-^,ctrl-]"
"""The engine cannot be kept from watching a pty's input for such a sequence. By default it begins with Ctrl-P, which is
then held back until the next key; this one begins with a key that hardly any program has a use for."""

PAUSES = (0.001, 0.002, 0.004, 0.008, 0.016, 0.03, 0.06, 0.12, 0.25)
"""Seconds between two looks at a program that is to have ended, the last one again and again: its streams have ended,
and the engine notes the status some milliseconds later; but it may also have closed its streams and gone on."""

STATUS_PATIENCE = 10.0
"""Seconds after which a program that does not run, and has no status, is one that never ran."""

ENDED_BY_LIFELINE = (128 + 15, 128 + 9)
"""What a program comes to whose link was cut."""

CUT_PATIENCE = 1.0
"""Seconds for all streams of a cut link to end, once the lifeline's has."""

RESIZE_PATIENCE = 5.0
"""Seconds in which the engine, busy starting a program, may not know its pty yet."""


class Executions:
    """Starts programs by exec. `user` as the engine takes it, `name` of the container for people."""

    def __init__(
        self, engine: Engine, container: str, name: str, user: str | None, environment: Mapping[str, str]
    ) -> None:
        self._engine = engine
        self._container = container
        self._name = name
        self._user = user
        self.environment = dict(environment)

    def start(self, command: str, pty: Pty | None) -> DockerChannel:
        """`/bin/sh -c command`. Raises EngineError, ConnectError."""
        created = self._engine.ask("POST", f"/containers/{self._container}/exec", self._description(command, pty))
        execution = Execution(self._engine, created["Id"], self._name)
        body: dict[str, object] = {"Detach": False, "Tty": pty is not None}
        if pty is not None and self._sizes_at_once():
            body["ConsoleSize"] = [pty.size.rows, pty.size.columns]
        stream = self._engine.hijack(f"/exec/{created['Id']}/start", body)
        channel = DockerChannel(stream, execution, pty=pty is not None)
        if pty is not None and not self._sizes_at_once():
            execution.resize(pty.size)
        return channel

    def _sizes_at_once(self) -> bool:
        return self._engine.version >= CONSOLE_SIZE_SINCE

    def _description(self, command: str, pty: Pty | None) -> dict[str, object]:
        variables = self.environment | ({"TERM": pty.term} if pty else {})
        return {
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": pty is not None,
            "DetachKeys": DETACH_KEYS,
            "User": self._user or "",
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "Cmd": ["/bin/sh", "-c", command],
        }


class Execution:
    """One exec: the Program of docker_channel."""

    def __init__(self, engine: Engine, number: str, container: str) -> None:
        self._engine = engine
        self._path = f"/exec/{number}"
        self._container = container

    def status(self, is_cut: IsCut) -> int:
        """See Program."""
        deadline = time.monotonic() + STATUS_PATIENCE
        pauses = iter(PAUSES)
        while (status := self._look(late=time.monotonic() > deadline)) is None:
            if is_cut(0.0):
                raise self._lost("its streams were cut")
            time.sleep(next(pauses, PAUSES[-1]))
        if status in ENDED_BY_LIFELINE and is_cut(CUT_PATIENCE):
            raise self._lost("its streams were cut")
        return status

    def _look(self, *, late: bool) -> int | None:
        """The status, if it has one. Raises LinkLost."""
        try:
            found = self._engine.ask("GET", f"{self._path}/json")
        except (EngineError, ConnectError) as error:
            raise self._lost(error.message if isinstance(error, EngineError) else error.why) from None
        if found["Running"]:
            return None
        if found["ExitCode"] is None and late:
            raise self._lost("the program was not started")
        status: int | None = found["ExitCode"]
        return status

    def _lost(self, why: str) -> LinkLost:
        return LinkLost(f"the container `{self._container}` gave no exit status", why)

    def runs(self) -> bool:
        """See Program."""
        try:
            return self._look(late=False) is None
        except LinkLost:
            return False

    def resize(self, size: WindowSize) -> None:
        """See Program. The engine answers once the pty has its size, or at once if the program has not started."""
        resize(self._engine, f"{self._path}/resize", size, self._starts)

    def _starts(self) -> bool:
        """Whether it may still be about to start: it has no status yet."""
        return self._engine.ask("GET", f"{self._path}/json")["ExitCode"] is None

    def refused(self, message: str) -> ConnectError:
        """See Program."""
        return not_started(self._container, message)

    def discard(self) -> None:
        """See Program: the engine forgets it by itself."""


def resize(engine: Engine, path: str, size: WindowSize, starts: Callable[[], bool]) -> None:
    """Set the size of a pty; try again while its program is being started."""
    deadline = time.monotonic() + RESIZE_PATIENCE
    pauses = iter(PAUSES)
    while True:
        try:
            engine.ask("POST", path, query={"h": size.rows, "w": size.columns})
            return
        except EngineError:
            if time.monotonic() > deadline or not starts():
                return
        except ConnectError:
            return  # reading says so
        time.sleep(next(pauses, PAUSES[-1]))


def not_started(name: str, message: str) -> ConnectError:
    """The error for what the engine says where /bin/sh could not be started."""
    if "unable to find user" in message:
        return ConnectError(f"`{name}` has no such user", message, "set `user`")
    if "no such file or directory" in message or "not found" in message:
        return ConnectError(f"there is no /bin/sh in `{name}`", "", "rdo needs one: use another image")
    return ConnectError(f"cannot start /bin/sh in `{name}`", message, "")
