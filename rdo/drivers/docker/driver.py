"""`driver = "docker"`: a container, a compose service, or an image as the target.

Determines which container that is, and what it has of the project. rdo.drivers.docker.target connects to it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from rdo.config.schema import CONTAINERS, Settings
from rdo.drivers.docker import compose, mounts
from rdo.drivers.docker.endpoint import resolve
from rdo.drivers.docker.inspect import InspectedContainer
from rdo.drivers.root import Root
from rdo.errors import ConfigError, ConnectError, RdoError

if TYPE_CHECKING:
    from rdo.drivers.caller import Caller
    from rdo.drivers.docker.engine import Engine
    from rdo.drivers.docker.image_container import SharedContainer
    from rdo.drivers.docker.target import DockerTarget

DEFAULT_DIRECTORY = "/src"
"""Where the project is in a container created from an image, unless `directory` is set."""

KEYS = (
    *CONTAINERS,
    "dockerfile",
    "build_target",
    "pull_image",
    "fresh",
    "user",
    "auto_start",
    "directory",
    "login",
    "sync",
)
"""The keys of a profile that determine the container and how it is reached. With `sync`, its mounts are examined
again."""


class DockerDriver:
    """The Driver of rdo.drivers.base. `environment` is that of a caller who asks for directories without running a
    command."""

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
        self._is_mounted = False
        self._lock = threading.Lock()
        """Guards `_roots` and `_holders`."""

    switches_user = True

    @property
    def target(self) -> str:
        """See base.Driver."""
        named = (f"{key} {name}" for key in CONTAINERS if (name := getattr(self._settings, key)))
        return next(named, f"dev container of {os.path.basename(self._root)}")

    def roots(self) -> Sequence[Root]:
        """See base.Driver. Asks the engine, once, if neither `directory` nor `image` is set."""
        settings = self._settings
        if self._is_own or settings.directory:
            return [Root(self._root, settings.directory or DEFAULT_DIRECTORY)]
        from rdo.drivers.docker import search

        with self._lock:
            if not self._roots:  # also if empty: the container may have been re-created since
                self._roots = self._mounted(search.ask(settings, self._root, self._environment).container)
            return self._roots

    def _has_project(self, container: InspectedContainer) -> bool:
        """Whether the project is mounted where the profile says that it is."""
        there = [
            root.remote + self._root[len(root.local) :]
            for root in self._mounted(container)
            if root.shared and mounts.contains(root.local, self._root)
        ]
        directory = self._settings.directory
        return any(directory is None or mounts.contains(each, directory) for each in there)

    def _mounted(self, container: InspectedContainer) -> list[Root]:
        self._name = container.name
        return mounts.roots(container.mounts, container.workdir, os.path.realpath)

    def unmapped_error(self, directory: str) -> RdoError | None:
        """See base.Driver."""
        if self._is_own or self._settings.directory:
            return None
        # no command runs in a directory that is a single file
        places = [root for root in self._roots or () if os.path.isdir(root.local)]
        return mounts.not_mounted(self._name, places, self._root, directory)

    def sharing(self) -> str:
        """See base.Driver."""
        if self._is_own:
            return "rdo mounts it into the container"
        return "it is mounted in the container" if self._is_mounted else ""

    def selector(self, caller: Caller) -> Hashable:
        """See base.Driver. The engine runs a command as its user, so that a shell of another user cannot be used."""
        search = map(caller.environment.get, compose.ENV_VARS)
        return (resolve(caller.environment), self._root, caller.user, *search, self._recipe())

    def _recipe(self) -> Hashable:
        """Everything that determines a container of rdo's own, by which an existing one is recognised."""
        settings = self._settings
        given = tuple(getattr(settings, key) for key in KEYS)
        if not settings.build:
            return given
        from rdo.drivers.docker import dockerfile

        arguments = tuple(sorted(settings.build_args.items()))
        return (*given, arguments, dockerfile.stamp(self._root, settings.build, settings.dockerfile))

    def resolve(self, caller: Caller) -> DockerTarget:
        """See base.Driver."""
        from rdo.drivers.docker.engine import Engine

        engine = Engine(resolve(caller.environment), caller.environment)
        try:
            return self._own(engine, caller) if self._is_own else self._existing(engine, caller)
        except BaseException:
            engine.close()
            raise

    def _existing(self, engine: Engine, caller: Caller) -> DockerTarget:
        """A container that somebody else has created."""
        from rdo.drivers.docker import search, target

        found = search.find(engine, self._settings, self._root, self._environment)
        self._is_mounted = self._has_project(found.container)
        self._check(found.container)
        return target.of_existing(self.target, found, list(self._roots or ()), self._settings, engine, caller)

    def _own(self, engine: Engine, caller: Caller) -> DockerTarget:
        """A container that rdo creates."""
        from rdo.drivers.docker.image_container import SharedContainer
        from rdo.drivers.docker.target import OwnContainer

        recipe = self._recipe()
        with self._lock:
            holder = self._holders.setdefault(recipe, SharedContainer())
            self._holders = {key: each for key, each in self._holders.items() if each.is_held or each is holder}
        directory = self._settings.directory or DEFAULT_DIRECTORY
        own = OwnContainer(self._settings, self._root, directory, self._profile, holder)
        return own.target(self.target, self.selector(caller), engine)

    def _check(self, container: InspectedContainer) -> None:
        """Raise an error if the container was re-created with other directories than those by which the command was
        mapped."""
        if self._settings.directory:
            return
        with self._lock:
            before, self._roots = self._roots, self._mounted(container)
            changed = before is not None and before != self._roots
        if changed:
            raise ConnectError(f"the directories of `{self.target}` have changed", "", "try again")
