"""Runs programs in a container that is already running, by the engine's exec."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from rdo.drivers.base import Pty, WindowSize
from rdo.drivers.docker.channel import DockerChannel
from rdo.drivers.docker.engine import CONSOLE_SIZE_SINCE, KEPT_ANSWER_TIMEOUT, Engine, EngineError
from rdo.drivers.docker.program import IsCut
from rdo.drivers.docker.stream import HijackedStream
from rdo.errors import ConnectError, LinkLost
from rdo.remote_sh.template import quote

DETACH_KEYS = "ctrl-^,ctrl-],ctrl-^,ctrl-@,ctrl-^,ctrl-]"
"""The engine always watches a pty's input for such a sequence. The default begins with Ctrl-P, which is then held back
until the next key; this one begins with a key that hardly any program uses."""

POLL_INTERVALS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.03, 0.06, 0.12, 0.25)
"""Seconds between two checks of a program whose streams have ended; the last one repeats. The engine has the status
some milliseconds later, unless the program has closed its streams and is still running."""

STATUS_TIMEOUT = 10.0
"""Seconds after which a program that is not running and has no status is considered never to have run."""

ENDED_BY_LIFELINE = (128 + 15, 128 + 9)
"""Exit statuses of a program that the lifeline has ended."""

CUT_TIMEOUT = 1.0
"""Seconds for all streams of a broken link to end, after the lifeline's has."""

STATUS_LIMIT = 255

NO_STATUS = -(2**62)
"""Stands for null, which means that a program has not ended."""

RESIZE_TIMEOUT = 5.0
"""Seconds in which the engine, busy starting a program, may not know its pty yet."""


class ExecStarter:
    """Starts programs by exec. `user` is in the engine's format, `name` is the container's name for people; `workdir`
    is where they start, if it exists, since the engine itself starts nothing in a missing directory."""

    def __init__(
        self,
        engine: Engine,
        container: str,
        name: str,
        user: str | None,
        environment: Mapping[str, str],
        workdir: str = "/",
    ) -> None:
        self._engine = engine
        self._container = container
        self._name = name
        self._user = user
        self._enter = f"cd {quote(workdir)} >/dev/null 2>&1; " if workdir != "/" else ""
        self.environment = dict(environment)

    def start(self, command: str, pty: Pty | None, variables: Mapping[str, str]) -> DockerChannel:
        """Start `/bin/sh -c command`. Raises EngineError, ConnectError."""
        path = f"/containers/{self._container}/exec"
        description = self._description(self._enter + command, pty, variables)
        created = self._engine.ask(
            "POST", path, description, patience=KEPT_ANSWER_TIMEOUT
        )  # one that is not started does nothing
        number = created.identity("Id")
        execution = ExecProgram(self._engine, number, self._name)
        body: dict[str, object] = {"Detach": False, "Tty": pty is not None}
        if pty is not None and self._sizes_at_once():
            body["ConsoleSize"] = [pty.size.rows, pty.size.columns]
        stream = self._engine.hijack(f"/exec/{number}/start", body)
        channel = DockerChannel(stream, execution, pty=pty is not None)
        if pty is not None and not self._sizes_at_once():
            execution.resize(pty.size)
        return channel

    def start_stream(self, command: str) -> HijackedStream:
        """Start `/bin/sh -c command`, whose status nobody needs. Raises EngineError, ConnectError."""
        path = f"/containers/{self._container}/exec"
        number = self._engine.ask("POST", path, self._description(command, None, {})).identity("Id")
        return self._engine.hijack(f"/exec/{number}/start", {"Detach": False, "Tty": False})

    def refused(self, message: str) -> ConnectError:
        """The error for the engine's message that it could not start /bin/sh."""
        return start_error(self._engine, self._container, self._name, message, "check `user`" if self._user else "")

    def _sizes_at_once(self) -> bool:
        return self._engine.version >= CONSOLE_SIZE_SINCE

    def _description(self, command: str, pty: Pty | None, given: Mapping[str, str]) -> dict[str, object]:
        variables = {**self.environment, **given, **({"TERM": pty.term} if pty else {})}
        return {
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": pty is not None,
            "DetachKeys": DETACH_KEYS,
            "User": self._user or "",
            "WorkingDir": "/",
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "Cmd": ["/bin/sh", "-c", command],
        }


class ExecProgram:
    """One exec: the DockerProgram of channel.py."""

    def __init__(self, engine: Engine, number: str, container: str) -> None:
        self._engine = engine
        self._container = container
        self._path = f"/exec/{number}"
        self.started = True

    def status(self, is_cut: IsCut) -> int:
        """See DockerProgram."""
        deadline = time.monotonic() + STATUS_TIMEOUT
        pauses = iter(POLL_INTERVALS)
        while (status := self._look(late=time.monotonic() > deadline)) is None:
            if is_cut(0.0):
                raise self._lost("its streams ended early")
            time.sleep(next(pauses, POLL_INTERVALS[-1]))
        if status in ENDED_BY_LIFELINE and is_cut(CUT_TIMEOUT):
            raise self._lost("its streams ended early")
        return status

    def _look(self, *, late: bool) -> int | None:
        """The status, if there is one. Raises LinkLost."""
        try:
            found = self._engine.ask("GET", f"{self._path}/json")
        except (EngineError, ConnectError) as error:
            raise self._lost(error.message if isinstance(error, EngineError) else error.why) from None
        if found.flag("Running"):
            return None
        status = found.number("ExitCode", default=NO_STATUS)
        if status == NO_STATUS:
            if late:
                raise self._lost("the program was not started")
            return None
        if not 0 <= status <= STATUS_LIMIT:
            raise self._lost(f"{status} is not a valid status")
        self.started = found.number("Pid", default=1) != 0
        return status

    def _lost(self, why: str) -> LinkLost:
        return LinkLost(f"the container `{self._container}` reported no exit status", why)

    def runs(self) -> bool:
        """See DockerProgram."""
        try:
            return self._look(late=False) is None
        except LinkLost:
            return False

    def resize(self, size: WindowSize) -> None:
        """See DockerProgram. The engine answers once the pty has its size, or at once if the program has not
        started."""
        resize(self._engine, f"{self._path}/resize", size, self._starts)

    def _starts(self) -> bool:
        """Whether the program may still be about to start, since it has no status yet."""
        return self._engine.ask("GET", f"{self._path}/json").number("ExitCode", default=NO_STATUS) == NO_STATUS

    def discard(self) -> None:
        """See DockerProgram. The engine forgets the program without being asked."""


def resize(engine: Engine, path: str, size: WindowSize, starts: Callable[[], bool]) -> None:
    """Set the size of a pty, and try again while its program is being started."""
    deadline = time.monotonic() + RESIZE_TIMEOUT
    pauses = iter(POLL_INTERVALS)
    while True:
        try:
            engine.ask("POST", path, query={"h": size.rows, "w": size.columns})
            return
        except EngineError:
            if time.monotonic() > deadline or not starts():
                return
        except ConnectError:
            return  # reading says so
        time.sleep(next(pauses, POLL_INTERVALS[-1]))


def start_error(engine: Engine, container: str, name: str, message: str, hint: str = "") -> ConnectError:
    """The error for a /bin/sh that could not be started: that it is missing, or else the engine's own message."""
    if lacks_shell(engine, container):
        return ConnectError(f"there is no /bin/sh in `{name}`", "", "rdo needs it: use another image")
    hint = hint or f"try `docker exec {container[:12]} /bin/sh`"
    return ConnectError(f"cannot start /bin/sh in `{name}`", message, hint)


def lacks_shell(engine: Engine, container: str) -> bool:
    """Whether the container's file system has no /bin/sh, according to the engine."""
    try:
        engine.ask("HEAD", f"/containers/{container}/archive", query={"path": "/bin/sh"})
    except EngineError as error:
        return error.status == 404
    except ConnectError:
        pass
    return False
