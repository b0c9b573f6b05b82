"""Runs each program in a new container of an image (`fresh = true`).

They all share the PID namespace of the connection's own container. So the lifeline, which is one of them, can signal
the others, and none of them outlives that container.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

from rdo.drivers.base import Pty, WindowSize
from rdo.drivers.docker.channel import DockerChannel
from rdo.drivers.docker.engine import Engine, EngineError
from rdo.drivers.docker.exec import DETACH_KEYS, STATUS_LIMIT, resize, start_error
from rdo.drivers.docker.program import IsCut
from rdo.drivers.docker.stream import HijackedStream
from rdo.errors import ConnectError, LinkLost

ATTACH = {"stream": 1, "stdin": 1, "stdout": 1, "stderr": 1, "detachKeys": DETACH_KEYS}

INSPECT_TIMEOUT = 0.3
"""Seconds without an answer about a container after which it is assumed to be ending: an inspection takes some
milliseconds. A wrong guess costs only memory."""


class FreshStarter:
    """Starts programs in containers that `create` makes from a description (Cmd, Tty and the like), returning the id.

    `user` is the user they run as; empty for the one that the container's creator chose.
    """

    def __init__(
        self, engine: Engine, name: str, holder: str, create: Callable[[Mapping[str, object], str], str], user: str = ""
    ) -> None:
        self._engine = engine
        self._name = name
        self._holder = holder
        self._create = create
        self._user = {"User": user} if user else {}

    def start(self, command: str, pty: Pty | None, variables: Mapping[str, str]) -> DockerChannel:
        """Start `/bin/sh -c command`. With an image there are no variables. Raises EngineError, ConnectError."""
        container = self._create({**_description(command, pty), **self._user}, f"container:{self._holder}")
        program = FreshProgram(self._engine, container, self._name)
        try:
            stream = self._engine.hijack(f"/containers/{container}/attach", None, ATTACH)
            channel = DockerChannel(stream, program, pty=pty is not None)
            program.begin()
        except (EngineError, ConnectError):
            program.discard()
            raise
        if pty is not None:
            program.resize(pty.size)
        return channel

    def start_stream(self, command: str) -> HijackedStream:
        """See ProgramStarter."""
        why = "each command has one of its own"
        raise ConnectError(f"there is no container of `{self._name}` to connect to", why, "leave out `fresh`")

    def refused(self, message: str) -> ConnectError:
        """See ProgramStarter."""
        return start_error(self._engine, self._holder, self._name, message)


def _description(command: str, pty: Pty | None) -> dict[str, object]:
    return {
        "Cmd": ["-c", command],
        "Tty": pty is not None,
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "TERM": pty.term if pty else None,
    }


class FreshProgram:
    """A container for one program: the DockerProgram of channel.py."""

    def __init__(self, engine: Engine, container: str, name: str) -> None:
        self._engine = engine
        self._path = f"/containers/{container}"
        self._name = name
        self.started = True

    def begin(self) -> None:
        """Start the container. Raises ConnectError, EngineError."""
        self._engine.ask("POST", f"{self._path}/start")

    def status(self, is_cut: IsCut) -> int:
        """See DockerProgram. The engine's answer arrives over a connection that is cut together with the others."""
        try:
            status = self._engine.ask("POST", f"{self._path}/wait", timeout=None).number("StatusCode")
        except (EngineError, ConnectError) as error:
            raise self._lost(error.message if isinstance(error, EngineError) else error.why) from None
        if not 0 <= status <= STATUS_LIMIT:
            raise self._lost(f"{status} is not a valid status")
        return status

    def _lost(self, why: str) -> LinkLost:
        return LinkLost(f"a container of `{self._name}` reported no exit status", why)

    def runs(self) -> bool:
        """See DockerProgram. While a container is ending, the engine does not answer requests about it."""
        try:
            return self._engine.ask("GET", f"{self._path}/json", timeout=INSPECT_TIMEOUT).table("State").flag("Running")
        except (EngineError, ConnectError):
            return False

    def resize(self, size: WindowSize) -> None:
        """See DockerProgram."""
        resize(self._engine, f"{self._path}/resize", size, lambda: False)

    def discard(self) -> None:
        """See DockerProgram."""
        with contextlib.suppress(EngineError, ConnectError):
            self._engine.ask("DELETE", self._path, query={"force": 1, "v": 1})
