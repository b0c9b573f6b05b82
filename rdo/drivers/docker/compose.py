"""Which container the name of a service denotes, according to compose's labels. Pure.

Images can have labels, too. A label counts only if the image does not have it, or if another label shows that compose
created the container.
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
"""A digest of the service's configuration. compose sets this label for containers, but never for images that it
builds."""
IMAGE = f"{PREFIX}image"
"""The id of the image, which no image can contain."""

FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""The file names that compose looks for here and in parent directories, if none is given."""

ENV_VARS = ("COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR", "COMPOSE_PROJECT_NAME")
"""Variables by which a user selects a compose project."""


class ServiceCandidates(NamedTuple):
    """The containers of the compose projects that a directory belongs to, the nearest ones first."""

    here: Sequence[ListedContainer]
    """Those of a project in this very directory."""
    around: Sequence[ListedContainer]
    """Those of the nearest project above it, of those below it, and of those that mount part of it."""

    def of_service(self, service: str) -> Sequence[ListedContainer]:
        """The service's containers; those of more distant projects only if the near ones have none."""
        found = ([each for each in group if each.labels.get(SERVICE) == service] for group in self)
        return next((group for group in found if group), [])

    def services(self) -> list[str]:
        """The names of all services."""
        return sorted({each.labels.get(SERVICE, "") for group in self for each in group})


class NamedProject(NamedTuple):
    """The compose project selected by the caller's environment; empty if it selects none."""

    name: str = ""
    directory: str = ""
    """The directory of the first compose file."""

    def has(self, labels: Mapping[str, str], resolve: Callable[[str], str]) -> bool:
        """Whether a container with these labels belongs to the project. A name alone suffices, as with `docker compose
        exec`."""
        if self.name:
            return labels.get(PROJECT) == self.name
        return any(resolve(self.directory) in (place, resolve(place)) for place in project_directories(labels))


NO_PROJECT = NamedProject()


def named_project(environment: Mapping[str, str], directory: str) -> NamedProject:
    """The project selected by COMPOSE_PROJECT_NAME and COMPOSE_FILE; a relative path is relative to `directory`.

    COMPOSE_PROFILES is irrelevant here: `docker compose exec` reaches any service that is running.
    """
    paths = environment.get("COMPOSE_FILE", "").split(environment.get("COMPOSE_PATH_SEPARATOR") or ":")
    places = [posixpath.dirname(posixpath.join(directory, path)) for path in paths if path not in ("", "-")]
    return NamedProject(environment.get("COMPOSE_PROJECT_NAME", ""), normalized(places[0]) if places else "")


def without_image_labels(container: ListedContainer, image: Mapping[str, str]) -> ListedContainer:
    """The container without those labels of compose that come only from its image."""
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
    """The containers of `project`, or else of `directory`, which is a physical path; `resolve` resolves links."""
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
    """Whether part of the directory is mounted, or the directory is below something that is mounted, other than the
    root."""
    sources = {path for source in container.sources for path in (normalized(source), resolve(source)) if path != "/"}
    return any(contains(directory, source) or contains(source, directory) for source in sources)


def up_command(files: Sequence[str], directory: str, service: str) -> str:
    """The command that starts the service of these compose files; their paths are relative to `directory`."""
    found = any(posixpath.basename(file) in FILES and contains(posixpath.dirname(file), directory) for file in files)
    if found or not files:
        return f"`docker compose up -d {service}`"
    short = (posixpath.relpath(file, directory) if contains(directory, file) else file for file in files)
    options = " ".join(f"-f {file}" for file in short)
    return f"`docker compose {options} up -d {service}` in `{directory}`"
