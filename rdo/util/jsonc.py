"""JSON with comments and trailing commas, as editors store their settings: read, and edited in place. Pure.

An edit inserts a value or replaces one. Everything else stays the same, byte for byte: comments, line ends,
indentation, the order of members. (Blanks before a closing bracket may be replaced by a newline.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

INDENT = "    "
"""The indentation for a text that has none to follow."""

Path = Sequence[str | int]
"""Member names and element indexes, from the root."""

_TRIVIA = re.compile(r"(?:[ \t\r\n\ufeff]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_SCALAR = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"|-?\d[\d.eE+-]*|true|false|null')


@dataclass
class Node:
    """A value, and where it is in the text."""

    start: int
    end: int
    value: Any
    children: list[Node] = field(default_factory=list)
    name: str = ""
    """The name of the member, if the value belongs to an object."""
    head: int = -1
    """Where the member's name starts; for any other value, where the value itself starts."""
    comma: bool = False
    """Whether a comma follows the last child."""


def loads(text: str) -> Any:
    """The value; an empty object for an empty text, as editors treat it. Raises ValueError."""
    return parse(text).value


def parse(text: str) -> Node:
    """The root node, with everything below it. Raises ValueError that names the line."""
    start = _skip(text, 0)
    if start == len(text):
        return Node(start, start, {})
    try:
        root = _value(text, start)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if _skip(text, root.end) < len(text):
        raise _error(text, _skip(text, root.end), "the end")
    return root


def put(text: str, path: Path, value: Any) -> str:
    """The text with the value set at the path. Missing objects on the way are created. Raises ValueError."""
    node = parse(text)
    for depth, name in enumerate(path):
        child = _child(node, name)
        if child is None and not (isinstance(node.value, dict) and isinstance(name, str)):
            raise ValueError(f"`{name}` is not inside an object")
        if child is None:
            for outer in reversed(path[depth + 1 :]):
                value = {outer: value}
            return _insert(text, node, value, str(name))
        node = child
    return text[: node.start] + _render(text, value, _indent_at(text, node.start)) + text[node.end :]


def append(text: str, path: Path, value: Any) -> str:
    """The text with an element added to the array at the path, which is created if missing. Raises ValueError."""
    node = find(parse(text), path)
    if node is None:
        return put(text, path, [value])
    if not isinstance(node.value, list):
        raise ValueError(f"`{'.'.join(map(str, path))}` is not an array")
    return _insert(text, node, value, None)


def find(root: Node, path: Path) -> Node | None:
    """The node at the path; None if there is none."""
    node: Node | None = root
    for name in path:
        node = node and _child(node, name)
    return node


def _child(node: Node, name: str | int) -> Node | None:
    if isinstance(node.value, list) and isinstance(name, int):
        return node.children[name] if 0 <= name < len(node.children) else None
    found = [child for child in node.children if child.name == name and isinstance(node.value, dict)]
    return found[-1] if found else None  # the last one applies


def _skip(text: str, position: int) -> int:
    match = _TRIVIA.match(text, position)
    return match.end() if match else position


def _value(text: str, position: int) -> Node:
    opening = text[position : position + 1]
    if opening in ("{", "["):
        return _container(text, position, "}" if opening == "{" else "]")
    match = _SCALAR.match(text, position)
    if not match:
        raise _error(text, position, "a value")
    try:
        return Node(position, match.end(), json.loads(match[0]))
    except ValueError:
        raise _error(text, position, "a value") from None


def _container(text: str, start: int, closing: str) -> Node:
    node = Node(start, start, {} if closing == "}" else [])
    position = _skip(text, start + 1)
    while not text.startswith(closing, position):
        if node.children and not node.comma:
            raise _error(text, position, f"`,` or `{closing}`")
        child = _member(text, position) if closing == "}" else _value(text, position)
        node.children.append(child)
        position = _skip(text, child.end)
        node.comma = text.startswith(",", position)
        position = _skip(text, position + node.comma)
    node.end = position + 1
    if closing == "}":
        node.value = {child.name: child.value for child in node.children}
    else:
        node.value = [child.value for child in node.children]
    return node


def _member(text: str, start: int) -> Node:
    name = _SCALAR.match(text, start)
    if not name or not isinstance(key := json.loads(name[0]), str):
        raise _error(text, start, "a name in double quotes")
    colon = _skip(text, name.end())
    if not text.startswith(":", colon):
        raise _error(text, colon, "`:`")
    child = _value(text, _skip(text, colon + 1))
    child.name, child.head = key, start
    return child


def _error(text: str, position: int, expected: str) -> ValueError:
    return ValueError(f"line {text.count(chr(10), 0, position) + 1}: expected {expected}")


# Edits


def _insert(text: str, node: Node, value: Any, name: str | None) -> str:
    """Insert a child after the last one and its comments: on a line of its own, unless the others share one."""
    head = "" if name is None else f"{json.dumps(name, ensure_ascii=False)}: "
    if node.start == node.end:  # a text with nothing but comments
        gap = "" if not text or text.endswith("\n") else _newline(text)
        return text + gap + "{" + _own_line(text, "", head, value) + _newline(text) + "}" + _newline(text)
    before = text[: node.end - 1]
    body = before[node.start + 1 :]
    if node.children and not node.comma:
        last = node.children[-1].end
        before = before[:last] + "," + before[last:]
    comma = "," if node.comma else ""
    kept = before.rstrip(" \t\r\n")
    if node.children and "\n" not in body:
        return f"{kept} {head}{json.dumps(value, ensure_ascii=False)}{comma}{before[len(kept) :]}{text[node.end - 1 :]}"
    outer = _indent_at(text, node.start)
    tail = before[len(kept) :] if "\n" in before[len(kept) :] else _newline(text) + outer
    line = _own_line(text, outer, head, value, _indent_of(text, node))
    return kept + line + comma + tail + text[node.end - 1 :]


def _own_line(text: str, outer: str, head: str, value: Any, indent: str | None = None) -> str:
    indent = outer + _unit(text) if indent is None else indent
    return _newline(text) + indent + head + _render(text, value, indent)


def _render(text: str, value: Any, indent: str) -> str:
    """The value over as many lines as it needs, with every line after the first indented."""
    lines = json.dumps(value, ensure_ascii=False, indent=_unit(text)).split("\n")
    return (_newline(text) + indent).join(lines)


def _indent_of(text: str, node: Node) -> str | None:
    """The indentation of the last child that is first on its line."""
    for child in reversed(node.children):
        start = child.start if child.head < 0 else child.head
        line = text[text.rfind("\n", 0, start) + 1 : start]
        if not line.strip():
            return line
    return None


def _indent_at(text: str, position: int) -> str:
    """The indentation of the line."""
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip(" \t"))].lstrip("\ufeff")


def _unit(text: str) -> str:
    """The indentation of one level."""
    return _indent_of(text, parse(text)) or INDENT


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
