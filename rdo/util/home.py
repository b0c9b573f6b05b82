"""A leading `~` in a path, as a caller's shell would replace it."""

from __future__ import annotations

import os
from collections.abc import Mapping


def expand(path: str, environment: Mapping[str, str]) -> str:
    """The path with `~` as the environment's HOME, which may be another than that of this process."""
    if (path == "~" or path.startswith("~/")) and environment.get("HOME"):
        return environment["HOME"].rstrip("/") + path[1:] or "/"
    return os.path.expanduser(path)
