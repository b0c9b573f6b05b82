"""The container that a profile means, where somebody else has made it: asks the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rdo.config.schema import Settings
from rdo.drivers.docker import container, devcontainer
from rdo.drivers.docker.devcontainer import DevContainerFacts
from rdo.drivers.docker.endpoint import resolve
from rdo.drivers.docker.engine import Engine
from rdo.drivers.docker.inspect import InspectedContainer


class FoundContainer(NamedTuple):
    """A container; `facts` if it was found as a dev container."""

    container: InspectedContainer
    facts: DevContainerFacts | None = None


def ask(settings: Settings, root: str, environment: Mapping[str, str]) -> FoundContainer:
    """Find it by an engine of one's own. Raises ConfigError, ConnectError."""
    engine = Engine(resolve(environment), environment)
    try:
        return find(engine, settings, root, environment)
    finally:
        engine.close()


def find(engine: Engine, settings: Settings, root: str, environment: Mapping[str, str]) -> FoundContainer:
    """By its name, by that of its compose service, or by the project's directory. Raises ConnectError."""
    if settings.container:
        return FoundContainer(container.by_name(engine, settings.container))
    if settings.service:
        return FoundContainer(container.by_service(engine, settings.service, root, environment))
    found = container.by_directory(engine, root)
    return FoundContainer(found, devcontainer.facts(found, container.image_labels(engine, found)))
