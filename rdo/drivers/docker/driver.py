"""`driver = "docker"`: a container, a compose service, or an image as the target."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial

from rdo.config.schema import CONTAINERS, Settings
from rdo.drivers.base import STDOUT, Caller, ChannelOptions, Pty, Root
from rdo.drivers.docker import build_context, compose, devcontainer, image_source, inspect
from rdo.drivers.docker import container as docker_container
from rdo.drivers.docker import image as docker_image
from rdo.drivers.docker.connection import DockerConnection, ProgramStarter
from rdo.drivers.docker.devcontainer import DevContainerFacts
from rdo.drivers.docker.endpoint import resolve
from rdo.drivers.docker.engine import Engine
from rdo.drivers.docker.exec import ExecStarter
from rdo.drivers.docker.fresh import FreshStarter
from rdo.drivers.docker.image import ContainerFactory, ContainerOptions, HeldContainer, SharedContainer
from rdo.drivers.docker.inspect import InspectedContainer
from rdo.errors import ConfigError, ConnectError, LinkLost, RdoError

DEFAULT_DIRECTORY = "/src"
"""Where the project is in a container of an image, unless `directory` says otherwise."""

LOGIN_SHELL = (
    'u=$(id -u) && while IFS=: read -r n p i g c h s; do [ "$i" != "$u" ] || { echo "$s"; break; }; done </etc/passwd'
)
"""SHELL is not set in a container, so the login shell has to be looked up."""

LOGIN_SHELL_TIMEOUT = 10.0
"""Seconds to look it up."""

PATH_LIMIT = 4096


KEYS = (*CONTAINERS, "dockerfile", "build_target", "pull_image", "fresh", "user", "auto_start", "directory", "login")
"""What of a profile says which container it is and how it is reached."""


class DockerDriver:
    """The Driver of rdo.drivers.base. `environment` is that of a caller who asks for directories without a command."""

    def __init__(self, settings: Settings, root: str, profile: str, environment: Mapping[str, str]) -> None:
        """Raises ConfigError."""
        self._is_own = bool(settings.image or settings.build)
        if settings.fresh and not self._is_own:
            raise ConfigError(
                "`fresh` needs an image", "an existing container cannot be created for each command", "name an `image`"
            )
        self._settings = settings
        self._root = root
        self._profile = profile
        self._environment = environment
        self._roots: list[Root] | None = None
        self._name = ""
        self._holders: dict[Hashable, SharedContainer] = {}
        self._facts: DevContainerFacts | None = None
        self._lock = threading.Lock()
        """Guards `_roots` and `_holders`."""

    switches_user = True

    @property
    def target(self) -> str:
        """See base.Driver."""
        named = (f"{key} {name}" for key in CONTAINERS if (name := getattr(self._settings, key)))
        return next(named, f"dev container of {os.path.basename(self._root)}")

    def roots(self) -> Sequence[Root]:
        """See base.Driver. Asks the engine, once, where neither `directory` nor `image` is given."""
        settings = self._settings
        if self._is_own or settings.directory:
            return [Root(self._root, settings.directory or DEFAULT_DIRECTORY)]
        with self._lock:
            if not self._roots:  # empty, too: the container may have been re-created since
                engine = Engine(resolve(self._environment), self._environment)
                try:
                    self._roots = self._mounted(self._find(engine))
                finally:
                    engine.close()
            return self._roots

    def _find(self, engine: Engine) -> InspectedContainer:
        if self._settings.container:
            return docker_container.by_name(engine, self._settings.container)
        if self._settings.service:
            return docker_container.by_service(engine, self._settings.service, self._root, self._environment)
        container = docker_container.by_directory(engine, self._root)
        self._facts = devcontainer.facts(container, docker_container.image_labels(engine, container))
        return container

    def _mounted(self, container: InspectedContainer) -> list[Root]:
        self._name = container.name
        return inspect.roots(container, os.path.realpath)

    def unmapped_error(self, directory: str) -> RdoError | None:
        """See base.Driver."""
        if self._is_own or self._settings.directory:
            return None
        return inspect.not_mounted(self._name, self._roots or (), self._root, directory)

    def selector(self, caller: Caller) -> Hashable:
        """See base.Driver. The engine runs a command as its user, so that a shell of another user does not fit."""
        search = map(caller.environment.get, compose.ENV_VARS)
        return (resolve(caller.environment), self._root, caller.user, *search, self._recipe())

    def _recipe(self) -> Hashable:
        """All that a container of rdo's own is made by, and by which another one is found."""
        settings = self._settings
        given = tuple(getattr(settings, key) for key in KEYS)
        if not settings.build:
            return given
        arguments = tuple(sorted(settings.build_args.items()))
        return (*given, arguments, build_context.stamp(self._root, settings.build, settings.dockerfile))

    def resolve(self, caller: Caller) -> DockerTarget:
        """See base.Driver."""
        engine = Engine(resolve(caller.environment), caller.environment)
        try:
            return self._own(engine, caller) if self._is_own else self._other(engine, caller)
        except BaseException:
            engine.close()
            raise

    def _other(self, engine: Engine, caller: Caller) -> DockerTarget:
        """A container that somebody else has made."""
        container = self._find(engine)
        self._check(container)
        facts, roots = self._facts, list(self._roots or ())
        user = caller.user or self._settings.user or (facts.user if facts else None)

        def connect(engine: Engine, caller: Caller) -> DockerConnection:
            ready = docker_container.make_ready(engine, container, auto_start=self._settings.auto_start, caller=caller)
            programs = ExecStarter(engine, ready.id, ready.name, user, {}, ready.workdir)
            connection = DockerConnection(engine, ready.id, ready.name, programs, lambda: None)
            return self._with_shell(connection, programs)

        def variables(caller: Caller) -> Mapping[str, str]:
            return devcontainer.variables(facts, caller.environment, roots) if facts else {}

        key = ("docker", engine.endpoint, container.id, user, self._settings.login)
        return DockerTarget(self.target, key, engine, connect, variables)

    def _own(self, engine: Engine, caller: Caller) -> DockerTarget:
        """A container of rdo's own, which is made when it is connected to."""
        recipe = self._recipe()
        with self._lock:
            holder = self._holders.setdefault(recipe, SharedContainer())
            self._holders = {key: each for key, each in self._holders.items() if each.is_held or each is holder}
        key = ("docker", self.selector(caller))
        return DockerTarget(self.target, key, engine, partial(self._of_image, holder), lambda caller: {})

    def _check(self, container: InspectedContainer) -> None:
        """A container that was re-created may have other directories than those by which the command was mapped."""
        if self._settings.directory:
            return
        with self._lock:
            before, self._roots = self._roots, self._mounted(container)
            changed = before is not None and before != self._roots
        if changed:
            raise ConnectError(f"the directories of `{self.target}` have changed", "", "try again")

    def _of_image(self, holder: SharedContainer, engine: Engine, caller: Caller) -> DockerConnection:
        held = holder.acquire(partial(docker_container.is_running, engine), partial(self._hold, engine, caller))
        with contextlib.ExitStack() as undo:
            undo.callback(holder.release, held, engine)
            directory = self._settings.directory or DEFAULT_DIRECTORY
            executions = ExecStarter(engine, held.id, held.image, caller.user or None, {}, directory)
            programs: ProgramStarter = executions
            if self._settings.fresh:
                create = self._containers(engine, held.image).create
                programs = FreshStarter(engine, held.image, held.id, create, caller.user)
            release = partial(holder.release, held, engine)
            connection = DockerConnection(engine, held.id, held.image, programs, release)
            self._with_shell(connection, executions)
            undo.pop_all()
        return connection

    def _hold(self, engine: Engine, caller: Caller) -> HeldContainer:
        docker_image.remove_leftovers(engine)
        image = self._settings.image or image_source.ensure_built(engine, self._settings, self._root, caller)
        if self._settings.image:
            image_source.ensure_pulled(engine, image, self._settings.pull_image, caller)
        container, stream = self._containers(engine, image).hold()
        return HeldContainer(container, image, stream)

    def _containers(self, engine: Engine, image: str) -> ContainerFactory:
        directory = self._settings.directory or DEFAULT_DIRECTORY
        return ContainerFactory(
            engine, ContainerOptions(image, self._root, directory, self._profile, self._settings.user)
        )

    def _with_shell(self, connection: DockerConnection, executions: ExecStarter) -> DockerConnection:
        if self._settings.login:
            shell = _login_shell(executions)
            if shell.startswith("/"):
                executions.environment["SHELL"] = shell
        return connection


class DockerTarget:
    """A container, and whom its programs run as. See base.Target."""

    driver = "docker"

    def __init__(
        self,
        name: str,
        key: Hashable,
        engine: Engine,
        connect: Callable[[Engine, Caller], DockerConnection],
        variables: Callable[[Caller], Mapping[str, str]],
    ) -> None:
        """`engine` is that which was asked for the container: the first connection uses it."""
        self.name = name
        self.key = key
        self._endpoint = engine.endpoint
        self._engines = [engine]
        self._connect = connect
        self._variables = variables

    def options(self, caller: Caller, pty: Pty | None) -> ChannelOptions:
        """With the variables of a dev container."""
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


def _login_shell(executions: ExecStarter) -> str:
    """The user's shell in the container's own list of users; empty where it is not listed."""
    channel = executions.start(LOGIN_SHELL, None, {})
    text, end = b"", time.monotonic() + LOGIN_SHELL_TIMEOUT
    try:
        while len(text) < PATH_LIMIT and (chunk := channel.read(max(0.0, end - time.monotonic()))):
            text += chunk.data if chunk.stream == STDOUT else b""
    except (TimeoutError, LinkLost):
        return ""
    finally:
        channel.close()
    return text.decode(errors="replace").strip()


def remove_leftover_containers(environment: Mapping[str, str]) -> int:
    """Remove the containers that masters of this user left behind when they were killed: how many.

    Raises ConfigError, and ConnectError where there is no engine.
    """
    engine = Engine(resolve(environment), environment)
    try:
        return docker_image.remove_leftovers(engine)
    finally:
        engine.close()
