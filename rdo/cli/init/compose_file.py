"""Which services the files of Docker Compose name, and which files those are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rdo.cli.ide.draft import Read

if TYPE_CHECKING:
    from rdo.cli.init.yaml_nodes import Node

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""In the order in which docker compose looks for them."""

OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)

MOST_FILES = 32
"""Files that are read, with those that they include: a circle of them ends too."""


def found(read: Read, environment: Mapping[str, str]) -> list[str]:
    """The files that `docker compose` would take here, by `read`, which returns the text of one: none, one, or more."""
    settings = {**_of_env_file(read(".env") or ""), **environment}
    named = settings.get("COMPOSE_FILE", "").split(settings.get("COMPOSE_PATH_SEPARATOR") or ":")
    if any(named):
        return [name for name in named if name]
    first = [name for name in NAMES if read(name) is not None][:1]
    return [*first, *[name for name in OVERRIDES if first and read(name) is not None][:1]]


def _of_env_file(text: str) -> dict[str, str]:
    """The variables of the project's `.env`, over which those of the environment win."""
    pairs = [line.strip().removeprefix("export ").partition("=") for line in text.split("\n")]
    return {name.strip(): value.strip().strip("'\"") for name, equals, value in pairs if equals}


def services(files: Sequence[str], read: Read) -> list[str]:
    """The names of the services of these files, and of those that they include. Raises ValueError that says why not."""
    from rdo.cli.init import yaml_nodes  # only here: the library is a third of what `rdoctl` costs to start

    names: dict[str, None] = {}
    queue, seen = list(files), set[str]()
    while queue and len(seen) < MOST_FILES:
        path = os.path.normpath(queue.pop(0))
        text = None if path in seen else read(path)
        seen.add(path)
        if text is None:
            continue
        try:
            root = yaml_nodes.parse(text)
        except ValueError as error:
            raise ValueError(f"`{path}` {error}") from None
        for name, node in yaml_nodes.members(yaml_nodes.member(root, "services")):
            names[name] = None
            if node.tag == "!reset":
                del names[name]
        queue += [os.path.join(os.path.dirname(path), each) for each in _included(root)]
    return list(names)


def _included(root: Node | None) -> Iterator[str]:
    """The paths below `include`: each is a string, or a mapping whose `path` is a string or a list."""
    from rdo.cli.init import yaml_nodes

    for each in yaml_nodes.elements(yaml_nodes.member(root, "include")):
        for path in yaml_nodes.elements(yaml_nodes.member(each, "path") or each):
            yield from filter(None, [yaml_nodes.text(path)])
