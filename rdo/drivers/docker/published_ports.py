"""Ports of a container that are published on the engine's host. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from rdo.drivers.docker.answer import EngineAnswer

PORT, TCP_PORT = re.compile("[0-9]{1,5}"), re.compile("[0-9]{1,5}/tcp")

LOCAL_ADDRESSES = ("", "0.0.0.0", "::", "127.0.0.1", "::1")
"""Addresses of the host such that a port published there is reachable as `localhost`."""


class PublishedPort(NamedTuple):
    """A port of the host, and the container's port that it leads to."""

    host: int
    container: int


def find(network: EngineAnswer | None) -> frozenset[PublishedPort]:
    """Parse entries such as `"80/tcp": [{"HostIp": "", "HostPort": "8080"}]`. A port that is only exposed has no
    list."""
    ports = network.maybe("Ports") if network else None
    if ports is None:
        return frozenset()
    return frozenset(
        PublishedPort(int(each.text("HostPort")), int(name.removesuffix("/tcp")))
        for name in ports.names()
        if TCP_PORT.fullmatch(name) and ports.has(name)
        for each in ports.tables(name)
        if each.text("HostIp", "") in LOCAL_ADDRESSES and PORT.fullmatch(each.text("HostPort", ""))
    )
