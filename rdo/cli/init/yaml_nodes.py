"""YAML as nodes, from which nobody makes objects: so an alias costs nothing, a tag of somebody's own such as `!reset`
is not an error, and no variable has to be known. The only module that imports the library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import yaml
from yaml import MappingNode, ScalarNode, SequenceNode
from yaml import Node as Node

MERGE = "tag:yaml.org,2002:merge"


def parse(text: str) -> Node | None:
    """The root; None of an empty text. Raises ValueError that says what is wrong with it."""
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


def members(node: Node | None) -> Iterator[tuple[str, Node]]:
    """The members of a mapping with those that `<<` merges into it, each name once or more; none for other nodes.

    Each node is gone through once, for aliases can make a circle, or so many ways that nobody can go them all.
    """
    queue, seen = [node], set[int]()
    while queue:
        each = queue.pop(0)
        if id(each) in seen or not isinstance(each, MappingNode):
            continue
        seen.add(id(each))
        for key, value in each.value:
            if key.tag == MERGE:
                queue += elements(value)
            elif name := text(key):
                yield name, value


def member(node: Node | None, name: str) -> Node | None:
    return next((value for key, value in members(node) if key == name), None)


def elements(node: Node | None) -> Sequence[Node]:
    """What a list holds; the node itself where it is not a list."""
    if node is None:
        return []
    return node.value if isinstance(node, SequenceNode) else [node]


def text(node: Node) -> str:
    """The text of a scalar; empty for other nodes."""
    return str(node.value) if isinstance(node, ScalarNode) else ""
