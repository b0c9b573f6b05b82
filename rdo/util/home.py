"""Expands a leading `~` in a path as the caller's shell would."""

from __future__ import annotations

import os
from collections.abc import Mapping


def expand(path: str, environment: Mapping[str, str]) -> str:
    """The path with `~` replaced by HOME of that environment, which may differ from this process's own."""
    if (path == "~" or path.startswith("~/")) and environment.get("HOME"):
        return environment["HOME"].rstrip("/") + path[1:] or "/"
    return os.path.expanduser(path)
