"""Which ports of a container the engine's host has, too. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from rdo.drivers.docker.answer import EngineAnswer

PORT, TCP_PORT = re.compile("[0-9]{1,5}"), re.compile("[0-9]{1,5}/tcp")

LOCAL_ADDRESSES = ("", "0.0.0.0", "::", "127.0.0.1", "::1")
"""Of the host, those by which a port that is published at them is reached as `localhost`."""


class PublishedPort(NamedTuple):
    """A port of the host, and the container's that it leads to."""

    host: int
    container: int


def find(network: EngineAnswer | None) -> frozenset[PublishedPort]:
    """Of entries such as `"80/tcp": [{"HostIp": "", "HostPort": "8080"}]`; one that is only exposed has no list."""
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
