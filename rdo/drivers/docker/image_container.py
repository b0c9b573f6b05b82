"""Creates containers from an image, one per connection and, with `fresh`, one per command; and removes them."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tarfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from rdo.drivers.docker.answer import EngineAnswer
from rdo.drivers.docker.engine import Engine, EngineError
from rdo.drivers.docker.exec import lacks_shell, start_error
from rdo.drivers.docker.leftovers import HOST, MADE, MASTER, PROFILE, ROOT, SPACE, host, remove
from rdo.drivers.docker.stream import EngineStream
from rdo.errors import ConnectError
from rdo.remote_sh.template import load
from rdo.util import process

HOLD = load("hold_container")
"""The container's own program runs as long as the connection that feeds it, plus the time for the lifeline."""

HOME = "/home/rdo"
"""The home directory created for a user who has none in the image."""

ADVICE = "check `image`, `user` and `directory`"
"""The settings for creating a container that an engine may refuse."""

ROOTLESS = "name=rootless"
"""In Docker's list of security options (`name=X,key=value` each), means that the engine runs as an ordinary user."""

PROJECT_NAME_LIMIT = 40
"""Characters of a project's name in that of a container."""


@dataclass(frozen=True)
class ContainerOptions:
    """What the containers of a profile have in common. `directory` is where `root` is mounted."""

    image: str
    root: str
    directory: str
    profile: str
    user: str | None


class ContainerFactory:
    """Creates containers according to the options of a profile."""

    def __init__(self, engine: Engine, options: ContainerOptions) -> None:
        self._engine = engine
        self._options = options
        self.user = options.user or self._caller()
        self._at_home = options.user is None and not self.user.startswith("0:")

    def _caller(self) -> str:
        """Our own uid:gid, so that files belong to us; or root's, if the engine runs as us and maps root to us."""
        try:
            is_rootless = _is_rootless(self._engine.ask("GET", "/info"))
        except EngineError:
            is_rootless = False
        return "0:0" if is_rootless else f"{os.getuid()}:{os.getgid()}"

    def create(self, details: Mapping[str, object], processes: str = "") -> str:
        """Create a container without starting it, and return its id. `processes` is the container whose PID namespace
        it shares. Raises ConnectError."""
        try:
            description, query = self._description(details, processes), {"name": container_name(self._options.root)}
            answer = self._engine.ask("POST", "/containers/create", description, query=query)
            made = answer.identity("Id")
            if self._at_home and "User" not in details:
                self._make_home(made)
        except EngineError as error:
            raise ConnectError(f"cannot create a container of `{self._options.image}`", error.message, ADVICE) from None
        return made

    def hold(self) -> tuple[str, EngineStream]:
        """Start a container that runs as long as the stream is open, and return its id and the stream. Raises
        ConnectError."""
        container = self.create({"Cmd": ["-c", HOLD], "OpenStdin": True, "StdinOnce": True, "AttachStdin": True})
        with contextlib.ExitStack() as undo:
            undo.callback(remove, self._engine, container)
            if lacks_shell(self._engine, container):  # its init would start anyway, and exit without a message
                raise start_error(self._engine, container, self._options.image, "")
            try:
                stream = self._engine.hijack(f"/containers/{container}/attach", None, {"stream": 1, "stdin": 1})
                undo.callback(stream.wire.close)
                self._engine.ask("POST", f"/containers/{container}/start")
            except EngineError as error:
                what = f"cannot start a container of `{self._options.image}`"
                raise ConnectError(what, error.message, ADVICE) from None
            undo.pop_all()
        return container, stream.wire

    def _description(self, details: Mapping[str, object], processes: str) -> dict[str, object]:
        options, more = self._options, dict(details)
        variables = {"HOME": HOME if self._at_home and "User" not in details else None, "TERM": more.pop("TERM", None)}
        host: dict[str, object] = {
            "Mounts": [{"Type": "bind", "Source": options.root, "Target": options.directory}],
            "LogConfig": {"Type": "none"},
            "AutoRemove": not processes,
        }
        host |= {"PidMode": processes} if processes else {"Init": True}
        return {
            "Image": options.image,
            "Entrypoint": ["/bin/sh"],
            "User": self.user,
            "StopTimeout": 0,  # podman asks a container that it removes to end, and waits for this long
            "Env": [f"{name}={value}" for name, value in variables.items() if value],
            "WorkingDir": options.directory,
            "Labels": labels(options),
            "HostConfig": host,
            **more,
        }

    def _make_home(self, container: str) -> None:
        uid, gid = map(int, self.user.split(":"))
        fields = {"Content-Type": "application/x-tar"}
        self._engine.ask(
            "PUT",
            f"/containers/{container}/archive",
            directory_archive(HOME, uid, gid),
            query={"path": "/"},
            fields=fields,
        )


def _is_rootless(info: EngineAnswer) -> bool:
    """Whether the engine runs as an ordinary user. podman reports that in a field of its own, for a long time only
    there."""
    options = info.texts("SecurityOptions")
    return info.flag("Rootless", default=False) or any(ROOTLESS in each.split(",") for each in options)


def labels(options: ContainerOptions) -> dict[str, str]:
    """Labels by which a later rdo recognises what an earlier one has left."""
    return {
        MASTER: process.process_name(os.getpid()),
        SPACE: process.pid_space(),
        HOST: host(),
        MADE: f"{time.time():.0f}",
        ROOT: options.root,
        PROFILE: options.profile,
    }


def container_name(root: str) -> str:
    """The name that `docker ps` shows: the user, the project, and something that makes it unique."""
    project = re.sub(r"[^a-zA-Z0-9_.-]+", "-", os.path.basename(root))[:PROJECT_NAME_LIMIT].strip("-")
    return f"rdo-{project or 'project'}-{os.urandom(4).hex()}"


def directory_archive(path: str, uid: int, gid: int) -> bytes:
    """A tar archive with one empty directory."""
    entry = tarfile.TarInfo(path.strip("/"))
    entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o755, uid, gid
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(entry)
    return buffer.getvalue()


class HeldContainer(NamedTuple):
    """A container, which runs as long as the stream is open."""

    id: str
    image: str
    stream: EngineStream


class SharedContainer:
    """The container that the connections of a profile share, whatever user their commands run as, so that what root
    installs is available to the user. It ends with the last connection. Thread-safe."""

    def __init__(self) -> None:
        self._held: HeldContainer | None = None
        self._users: dict[str, int] = {}
        self._lock = threading.Lock()
        """Guards `_held` and `_users`; held while a container is created, so that there is only one."""

    @property
    def is_held(self) -> bool:
        """Whether there is a container."""
        return self._held is not None

    def acquire(self, is_there: Callable[[str], bool], make: Callable[[], HeldContainer]) -> HeldContainer:
        """The container, if it is still running, or else a new one. Raises what `make` raises."""
        with self._lock:
            if self._held is None or not is_there(self._held.id):
                self._held = make()
            self._users[self._held.id] = self._users.get(self._held.id, 0) + 1
            return self._held

    def release(self, held: HeldContainer, engine: Engine) -> None:
        """Note that a user has finished. The last one removes the container."""
        with self._lock:
            self._users[held.id] -= 1
            if self._users[held.id]:
                return
            del self._users[held.id]
            if self._held is held:
                self._held = None
        remove(engine, held.id)
        held.stream.close()
