"""Finds the Dockerfile of a profile, and its build directory."""

from __future__ import annotations

import os
from typing import NamedTuple

from rdo.drivers.docker.mounts import contains
from rdo.errors import ConfigError
from rdo.util import file_stamp


class BuildContext(NamedTuple):
    """A build directory, absolute, and the Dockerfile, relative to it."""

    directory: str
    dockerfile: str


def locate(root: str, build: str, dockerfile: str | None) -> BuildContext:
    """The context that a profile names. Raises ConfigError if it, or its Dockerfile, is missing or outside of the
    project."""
    directory = os.path.realpath(os.path.join(root, build))
    name = os.path.normpath(dockerfile or "Dockerfile")
    path = os.path.join(directory, name)
    if not contains(os.path.realpath(root), directory):
        raise ConfigError(f"cannot build `{build}`", "it lies outside the project", "name a directory inside")
    if not contains(directory, os.path.realpath(path)):
        raise ConfigError(f"cannot build `{build}`", f"`{name}` leads out of it", "move the Dockerfile into it")
    if not os.path.isfile(path):
        raise ConfigError(f"cannot build `{build}`", f"there is no `{name}` in it", "set `dockerfile`, or `build`")
    return BuildContext(directory, name)


def stamp(root: str, build: str, dockerfile: str | None) -> tuple[object, ...]:
    """Changes when the Dockerfile does, at the cost of a stat. Never raises."""
    try:
        context = locate(root, build, dockerfile)
    except (OSError, ConfigError):
        return ()
    path = os.path.join(context.directory, context.dockerfile)
    return path, file_stamp.stamp(path)
