"""What the parameters of a test decide about it: whether it is run, and when."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

OTHER_SERVERS = {"dropbear", "dropbear-remote", "ssh-dropbear", "ssh-user"}
OTHER_CONTAINERS = {"docker-bash", "docker-busybox", "docker-fresh", "docker-image"}
"""Parameters of rows that repeat one with OpenSSH's server as the current user, or with `docker-dash`."""


def is_variant(item: pytest.Item) -> bool:
    """Whether the row repeats another one with a client, server or container that fewer people have."""
    rare = OTHER_SERVERS | OTHER_CONTAINERS
    values = _parameters(item)
    return values.get("client") == "python" or any(isinstance(each, str) and each in rare for each in values.values())


def uses_podman(item: pytest.Item) -> bool:
    """Whether the row uses podman."""
    return "podman" in _parameters(item).values()


def uses_vagrant(item: pytest.Item) -> bool:
    """Whether the row starts Vagrant, which takes seconds each time."""
    return "vagrant_host" in getattr(item, "fixturenames", ()) or "vagrant" in _parameters(item).values()


def _parameters(item: pytest.Item) -> Mapping[str, object]:
    return item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
