"""Which container a service's name means, by the labels that compose gives its containers: pure.

An image may have labels, too. One counts only where the image does not have it, or where another one shows that compose
made the container.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from rdo.drivers.docker.inspect import ListedContainer
from rdo.drivers.docker.mounts import contains, normalized

PREFIX = "com.docker.compose."
SERVICE = f"{PREFIX}service"
PROJECT = f"{PREFIX}project"
PROJECT_DIRECTORY = f"{PREFIX}project.working_dir"
PROJECT_FILES = f"{PREFIX}project.config_files"
ONE_OFF = f"{PREFIX}oneoff"
HASH = f"{PREFIX}config-hash"
"""Of the service's configuration; compose sets it for a container, and never for an image that it builds."""
IMAGE = f"{PREFIX}image"
"""The image's own id, which no image can hold."""

FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""What compose looks for where no file is named, here and above."""

ENV_VARS = ("COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR", "COMPOSE_PROJECT_NAME")
"""Variables by which a user says which compose project is meant."""


class ServiceCandidates(NamedTuple):
    """The containers of the compose projects that a directory belongs to, nearest ones first."""

    here: Sequence[ListedContainer]
    """Of a project in this very directory."""
    around: Sequence[ListedContainer]
    """Of the nearest project above it, of those below it, and of those that mount something of it."""

    def of_service(self, service: str) -> Sequence[ListedContainer]:
        """The service's containers; those of farther projects only where the near ones have none."""
        found = ([each for each in group if each.labels.get(SERVICE) == service] for group in self)
        return next((group for group in found if group), [])

    def services(self) -> list[str]:
        """The names of all services."""
        return sorted({each.labels.get(SERVICE, "") for group in self for each in group})


class NamedProject(NamedTuple):
    """The compose project that the caller's environment names; empty where it names none."""

    name: str = ""
    directory: str = ""
    """Of the first compose file."""

    def has(self, labels: Mapping[str, str], resolve: Callable[[str], str]) -> bool:
        """Whether a container with these labels belongs to it. A name counts alone, as with `docker compose exec`."""
        if self.name:
            return labels.get(PROJECT) == self.name
        return any(resolve(self.directory) in (place, resolve(place)) for place in project_directories(labels))


NO_PROJECT = NamedProject()


def named_project(environment: Mapping[str, str], directory: str) -> NamedProject:
    """What COMPOSE_PROJECT_NAME and COMPOSE_FILE say; a relative path is below `directory`.

    COMPOSE_PROFILES says nothing of which container is meant: `docker compose exec` reaches any service that runs.
    """
    paths = environment.get("COMPOSE_FILE", "").split(environment.get("COMPOSE_PATH_SEPARATOR") or ":")
    places = [posixpath.dirname(posixpath.join(directory, path)) for path in paths if path not in ("", "-")]
    return NamedProject(environment.get("COMPOSE_PROJECT_NAME", ""), normalized(places[0]) if places else "")


def without_image_labels(container: ListedContainer, image: Mapping[str, str]) -> ListedContainer:
    """The container without the labels of compose that only its image brought."""
    own = {name: value for name, value in container.labels.items() if image.get(name) != value}
    if HASH in own or own.get(IMAGE, "-") == container.image:
        return container
    others = {name: value for name, value in container.labels.items() if not name.startswith(PREFIX)}
    return container._replace(labels=others | own)


def candidates(
    listing: Iterable[ListedContainer],
    directory: str,
    resolve: Callable[[str], str],
    project: NamedProject = NO_PROJECT,
) -> ServiceCandidates:
    """The containers of `project`, or else of `directory`, which is a physical path; `resolve` follows links."""
    listing = [each for each in listing if each.labels.get(ONE_OFF, "").lower() != "true" and SERVICE in each.labels]
    if any(project):
        return ServiceCandidates([each for each in listing if project.has(each.labels, resolve)], [])
    here: list[ListedContainer] = []
    above: dict[str, list[ListedContainer]] = {}
    below: list[ListedContainer] = []
    for each in listing:
        places = {path for place in project_directories(each.labels) for path in (place, resolve(place))}
        nearest = max((place for place in places if contains(place, directory)), key=len, default="")
        if nearest == directory:
            here.append(each)
        elif any(contains(directory, place) for place in places) or _mounts(each, directory, resolve):
            below.append(each)
        elif nearest:
            above.setdefault(nearest, []).append(each)
    return ServiceCandidates(here, [*below, *above.get(max(above, key=len, default=""), [])])


def project_directories(labels: Mapping[str, str]) -> set[str]:
    """The directory of the compose project, and those of its files."""
    places = [labels.get(PROJECT_DIRECTORY, ""), *map(posixpath.dirname, labels.get(PROJECT_FILES, "").split(","))]
    return {normalized(place) for place in places if place.startswith("/")}


def _mounts(container: ListedContainer, directory: str, resolve: Callable[[str], str]) -> bool:
    """Whether something of the directory is mounted, or it is below something that is: other than all there is."""
    sources = {path for source in container.sources for path in (normalized(source), resolve(source)) if path != "/"}
    return any(contains(directory, source) or contains(source, directory) for source in sources)


def up_command(files: Sequence[str], directory: str, service: str) -> str:
    """The command that starts the service of these compose files, given where `directory` is."""
    found = any(posixpath.basename(file) in FILES and contains(posixpath.dirname(file), directory) for file in files)
    if found or not files:
        return f"`docker compose up -d {service}`"
    short = (posixpath.relpath(file, directory) if contains(directory, file) else file for file in files)
    options = " ".join(f"-f {file}" for file in short)
    return f"`docker compose {options} up -d {service}` in `{directory}`"
