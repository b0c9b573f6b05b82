"""The lifecycle hooks of a devcontainer.json, as command lines to type. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

NAMES = ("onCreateCommand", "updateContentCommand", "postCreateCommand", "postStartCommand")
"""The hooks, in the order in which they run."""


def lines(command: Any, substitute: Callable[[str], str]) -> list[str]:
    """A hook as command lines of rdo: a string is for a shell, a list has arguments, an object has several hooks."""
    if isinstance(command, dict):
        return [line for each in command.values() for line in lines(each, substitute)]
    if isinstance(command, str) and command.strip():
        return [shlex.join(["rdo", "-c", substitute(command)])]
    if isinstance(command, list) and command and all(isinstance(word, str) for word in command):
        return [shlex.join(["rdo", *map(substitute, command)])]
    return []
