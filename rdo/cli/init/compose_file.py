"""Which services the files of Docker Compose name, and which files those are. The only module that imports the library
for YAML. Pure.

YAML is read as nodes, from which nobody makes objects: so an alias costs nothing, a tag of somebody's own such as
`!reset` is not an error, and no variable has to be known.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

from rdo.cli.ide.draft import Read
from rdo.cli.init.published_ports import NotForwarded, of_table, words

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""The names of compose files, in the order in which docker compose looks for them."""

OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)

MERGE = "tag:yaml.org,2002:merge"

FILE_COUNT_LIMIT = 32
"""The most files that are read, including those that they include, so that a cycle ends."""


def found(read: Read, environment: Mapping[str, str]) -> list[str]:
    """The files that `docker compose` would use here: none, one or more. `read` returns the text of a file."""
    settings = {**_of_env_file(read(".env") or ""), **environment}
    named = settings.get("COMPOSE_FILE", "").split(settings.get("COMPOSE_PATH_SEPARATOR") or ":")
    if any(named):
        return [name for name in named if name]
    first = [name for name in NAMES if read(name) is not None][:1]
    return [*first, *[name for name in OVERRIDES if first and read(name) is not None][:1]]


def _of_env_file(text: str) -> dict[str, str]:
    """The variables of the project's `.env`; those of the environment override them."""
    pairs = [line.strip().removeprefix("export ").partition("=") for line in text.split("\n")]
    return {name.strip(): value.strip().strip("'\"") for name, equals, value in pairs if equals}


def services(files: Sequence[str], read: Read) -> list[str]:
    """The names of the services in these files and those that they include. Raises ValueError with the reason."""
    return list(_services(files, read))


def published(files: Sequence[str], read: Read) -> dict[str, list[str]]:
    """The ports that each service publishes, as values of the key `forward`, without those that cannot be forwarded.
    Raises ValueError.
    """
    found: dict[str, list[str]] = {}
    for name, nodes in _services(files, read).items():
        for port in (port for node in nodes for port in _elements(_member(node, "ports"))):
            with suppress(NotForwarded):
                table = {key: _text(value) for key, value in _members(port)}
                found.setdefault(name, []).extend(of_table(table) if table else words(_text(port)))
    return {name: list(dict.fromkeys(ports)) for name, ports in found.items()}


def _services(files: Sequence[str], read: Read) -> dict[str, list[Node]]:
    """The services, each with its nodes in all files. Raises ValueError."""
    services: dict[str, list[Node]] = {}
    queue, seen = list(files), set[str]()
    while queue and len(seen) < FILE_COUNT_LIMIT:
        path = os.path.normpath(queue.pop(0))
        text = None if path in seen else read(path)
        seen.add(path)
        if text is None:
            continue
        try:
            root = _parse(text)
        except ValueError as error:
            raise ValueError(f"`{path}` {error}") from None
        for name, node in _members(_member(root, "services")):
            services.setdefault(name, []).append(node)
            if node.tag == "!reset":
                del services[name]
        queue += [os.path.join(os.path.dirname(path), each) for each in _included(root)]
    return services


def _included(root: Node | None) -> Iterator[str]:
    """The paths below `include`: each is a string, or a mapping whose `path` is a string or a list."""
    for each in _elements(_member(root, "include")):
        for path in _elements(_member(each, "path") or each):
            yield from filter(None, [_text(path)])


def _parse(text: str) -> Node | None:
    """Parse a text; returns the root, or None if it is empty. Raises ValueError with the fault."""
    try:
        root: Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ValueError(f"is not valid YAML: {line}{error.problem}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"is not valid YAML: {' '.join(str(error).split())}") from None
    return root


def _members(node: Node | None) -> Iterator[tuple[str, Node]]:
    """The members of a mapping, including those that `<<` merges into it, each name once or more; none for other nodes.

    Each node is visited once, since aliases can form a cycle, or too many paths to follow them all.
    """
    queue, seen = [node], set[int]()
    while queue:
        each = queue.pop(0)
        if id(each) in seen or not isinstance(each, MappingNode):
            continue
        seen.add(id(each))
        for key, value in each.value:
            if key.tag == MERGE:
                queue += _elements(value)
            elif name := _text(key):
                yield name, value


def _member(node: Node | None, name: str) -> Node | None:
    return next((value for key, value in _members(node) if key == name), None)


def _elements(node: Node | None) -> Sequence[Node]:
    """The elements of a list; the node itself if it is not a list."""
    if node is None:
        return []
    return node.value if isinstance(node, SequenceNode) else [node]


def _text(node: Node) -> str:
    """The text of a scalar; empty for other nodes."""
    return str(node.value) if isinstance(node, ScalarNode) else ""
