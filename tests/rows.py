"""Rows of parametrised tests: what a test is run with, as far as that decides when it runs, and whether."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

OTHER_SERVERS = {"dropbear", "dropbear-remote", "ssh-dropbear", "ssh-user"}
OTHER_CONTAINERS = {"docker-bash", "docker-busybox", "docker-fresh", "docker-image"}
"""Parameters of rows beside which there is one with OpenSSH's server, as whoever runs the tests, or `docker-dash`."""


def is_variant(item: pytest.Item) -> bool:
    """Whether it repeats another row with a client, a server or a container that fewer people have."""
    rare = OTHER_SERVERS | OTHER_CONTAINERS
    values = _parameters(item)
    return values.get("client") == "python" or any(isinstance(each, str) and each in rare for each in values.values())


def uses_podman(item: pytest.Item) -> bool:
    """Whether it is a row with podman."""
    return "podman" in _parameters(item).values()


def uses_vagrant(item: pytest.Item) -> bool:
    """Whether it starts Vagrant, which takes seconds each time."""
    return "vagrant_host" in getattr(item, "fixturenames", ()) or "vagrant" in _parameters(item).values()


def _parameters(item: pytest.Item) -> Mapping[str, object]:
    return item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
