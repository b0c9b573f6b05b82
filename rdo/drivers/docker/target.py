"""A target of the docker driver: how a container is prepared and connected to."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial

from rdo.config.forwards import NO_FORWARDS
from rdo.config.schema import Settings
from rdo.drivers.base import STDOUT, ChannelOptions, Pty
from rdo.drivers.caller import Caller
from rdo.drivers.docker import container as docker_container
from rdo.drivers.docker import devcontainer, image_source, leftovers
from rdo.drivers.docker.connection import DockerConnection, ProgramStarter
from rdo.drivers.docker.engine import Engine, EngineError
from rdo.drivers.docker.exec import ExecStarter
from rdo.drivers.docker.fresh import FreshStarter
from rdo.drivers.docker.image_container import ContainerFactory, ContainerOptions, HeldContainer, SharedContainer
from rdo.drivers.docker.published_ports import PublishedPort
from rdo.drivers.docker.search import SHORT_ID, FoundContainer
from rdo.drivers.root import Root
from rdo.errors import LinkLost

LOGIN_SHELL = (
    'u=$(id -u) && while IFS=: read -r n p i g c h s; do [ "$i" != "$u" ] || { echo "$s"; break; }; done </etc/passwd'
)
"""SHELL is not set in a container, so the login shell has to be looked up."""

LOGIN_SHELL_TIMEOUT = 10.0
"""Seconds to look it up."""

PATH_LIMIT = 4096


def of_existing(
    name: str, found: FoundContainer, roots: Sequence[Root], settings: Settings, engine: Engine, caller: Caller
) -> DockerTarget:
    """The target for a container that somebody else has created. `roots` are the directories of the project in it."""
    container, facts = found
    user = caller.user or settings.user or (facts.user if facts else None)
    found_now = [container]  # for the first connection; before the next, it may have been paused

    def connect(engine: Engine, caller: Caller) -> DockerConnection:
        now = found_now.pop() if found_now else docker_container.inspect_again(engine, container)
        ready = docker_container.make_ready(engine, now, auto_start=settings.auto_start, caller=caller)
        programs = ExecStarter(engine, ready.id, ready.name, user, {}, ready.workdir)
        if settings.login:
            _learn_shell(programs)
        resumes, began = settings.auto_start, ready.state.started
        return DockerConnection(engine, ready.id, ready.name, programs, lambda: None, resumes=resumes, began=began)

    def variables(caller: Caller) -> Mapping[str, str]:
        return devcontainer.variables(facts, caller.environment, roots) if facts else {}

    def serves_here(here: int, there: int) -> bool:
        # elsewhere the engine runs in a virtual machine
        shares_network = container.has_host_network and sys.platform == "linux"
        is_same = shares_network and here == there
        return not engine.is_remote and (is_same or PublishedPort(here, there) in container.published)

    key = ("docker", engine.endpoint, container.id, user, settings.login, settings.auto_start)
    found_by = container.name if (settings.container or "").removeprefix("/") == container.name else ""
    details = {"user": user or "", "container": container.id[:SHORT_ID], "engine": engine.endpoint.name}
    return DockerTarget(name, key, details, engine, connect, variables, serves_here, found_by)


class OwnContainer:
    """A container that rdo creates when it connects."""

    def __init__(self, settings: Settings, root: str, directory: str, profile: str, holder: SharedContainer) -> None:
        """`directory` is the container's directory for the local directory `root`; `holder` shares it among
        connections."""
        self._settings = settings
        self._root = root
        self._directory = directory
        self._profile = profile
        self._holder = holder

    def target(self, name: str, selector: Hashable, engine: Engine) -> DockerTarget:
        """The target for callers with this selector."""
        details = {"user": self._settings.user or "", "engine": engine.endpoint.name, "directory": self._directory}
        return DockerTarget(name, ("docker", selector), details, engine, self._connect, lambda caller: {})

    def _connect(self, engine: Engine, caller: Caller) -> DockerConnection:
        held = self._holder.acquire(partial(docker_container.is_running, engine), partial(self._hold, engine, caller))
        with contextlib.ExitStack() as undo:
            undo.callback(self._holder.release, held, engine)
            executions = ExecStarter(engine, held.id, held.image, caller.user or None, {}, self._directory)
            programs: ProgramStarter = executions
            if self._settings.fresh:
                create = self._containers(engine, held.image).create
                programs = FreshStarter(engine, held.image, held.id, create, caller.user)
            release = partial(self._holder.release, held, engine)
            connection = DockerConnection(engine, held.id, held.image, programs, release)
            if self._settings.login:
                _learn_shell(executions)
            undo.pop_all()
        return connection

    def _hold(self, engine: Engine, caller: Caller) -> HeldContainer:
        leftovers.remove_leftovers(engine)
        image = self._settings.image or image_source.ensure_built(engine, self._settings, self._root, caller)
        if self._settings.image:
            image_source.ensure_pulled(engine, image, self._settings.pull_image, caller)
        container, stream = self._containers(engine, image).hold()
        return HeldContainer(container, image, stream)

    def _containers(self, engine: Engine, image: str) -> ContainerFactory:
        options = ContainerOptions(image, self._root, self._directory, self._profile, self._settings.user)
        return ContainerFactory(engine, options)


class DockerTarget:
    """A container, and the user of its programs. See base.Target."""

    driver = "docker"
    forwards = NO_FORWARDS

    def __init__(
        self,
        name: str,
        key: Hashable,
        details: Mapping[str, str],
        engine: Engine,
        connect: Callable[[Engine, Caller], DockerConnection],
        variables: Callable[[Caller], Mapping[str, str]],
        serves_here: Callable[[int, int], bool] = lambda here, there: False,
        found_by: str = "",
    ) -> None:
        """`engine` is the one that was asked about the container, and is used for the first connection."""
        self.name = name
        self.key = key
        self.details = details
        self._endpoint = engine.endpoint
        self._engines = [engine]
        self._connect = connect
        self._variables = variables
        self.serves_here = serves_here
        self.found_by = found_by
        self.is_current = True
        self.variables_read: frozenset[str] = frozenset()

    def options(self, caller: Caller, pty: Pty | None) -> ChannelOptions:
        """See base.Target: with the variables of a dev container."""
        return ChannelOptions(pty, self._variables(caller))

    def connect(self, caller: Caller) -> DockerConnection:
        """See base.Target."""
        try:
            engine = self._engines.pop()
        except IndexError:
            engine = Engine(self._endpoint, caller.environment)
        try:
            connection = self._connect(engine, caller)
        except BaseException:
            engine.close()
            raise
        caller.trace(f"docker: {self.name}, engine {engine.endpoint.name}, API {engine.version}")
        return connection

    def release(self) -> None:
        """See base.Target."""
        while self._engines:
            self._engines.pop().close()


def _learn_shell(executions: ExecStarter) -> None:
    """Set SHELL for programs to the user's login shell, if it is listed."""
    shell = _login_shell(executions)
    if shell.startswith("/"):
        executions.environment["SHELL"] = shell


def _login_shell(executions: ExecStarter) -> str:
    """The user's shell in the container's own list of users; empty if it is not listed."""
    try:
        channel = executions.start(LOGIN_SHELL, None, {})
    except EngineError:
        return ""  # the command's own shell fails in the same way, and reports why
    text, end = b"", time.monotonic() + LOGIN_SHELL_TIMEOUT
    try:
        while len(text) < PATH_LIMIT and (chunk := channel.read(max(0.0, end - time.monotonic()))):
            text += chunk.data if chunk.stream == STDOUT else b""
    except (TimeoutError, LinkLost):
        return ""
    finally:
        channel.close()
    return text.decode(errors="replace").strip()
