"""`rdoctl open`: opens a forwarded port in the browser of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rdo.cli import known_words, masters
from rdo.cli.declaration import Choice, Command
from rdo.errors import RdoError, printable
from rdo.ipc import address
from rdo.util.phrases import listed

EVERYWHERE = ("*", "0.0.0.0", "[::]")
"""Addresses that accept connections to any address of this machine, including `localhost`."""


class ForwardedPort(NamedTuple):
    """A port here, and what it leads to."""

    local: int
    remote: str
    host: str = "localhost"

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.local}/"

    def __str__(self) -> str:
        return f"{self.local} -> {self.remote}"


def run(port: str | None) -> None:
    """Open a forwarded port in your browser: the only one, or the one that PORT names.

    PORT is a forwarded port of this machine or, if none has that number, of a target. `rdoctl ports` shows both.
    """
    from rdo.client import browser  # loads subprocess, which completion does without

    url = chosen(forwarded(masters.found(address.runtime_directory(os.environ))), port).url
    browser.open_url(url, os.environ)
    print(f"opening {url}")


command = Command("open", run, (Choice("port", metavar="PORT", offers=known_words.ports),))


def forwarded(found: Sequence[masters.MasterInfo]) -> list[ForwardedPort]:
    """All ports of this machine that are forwarded to a server of a target."""
    forwards = (each for master in found for target in master.targets for each in target.forwards)
    return sorted(set(_ports(forwards)))


def _ports(forwards: Iterator[Mapping[str, Any]]) -> Iterator[ForwardedPort]:
    for forward in forwards:
        host, _, port = str(forward["local"]).rpartition(":")
        if forward.get("kind", "local") == "local" and port.isdecimal():
            yield ForwardedPort(int(port), str(forward["remote"]), "localhost" if host in EVERYWHERE else host)


def chosen(ports: Sequence[ForwardedPort], wanted: str | None) -> ForwardedPort:
    """The port that is meant. Raises RdoError if there is none, or several."""
    if not ports:
        raise RdoError("no port is forwarded", "", "see `rdo -L` and the key `forward`")
    matching = list(ports)
    if wanted is not None:
        here = [port for port in ports if str(port.local) == wanted]
        matching = here or [port for port in ports if port.remote.partition(" by ")[0].rpartition(":")[2] == wanted]
    names = listed([printable(str(port)) for port in matching or ports])
    if not matching:
        raise RdoError(
            f"`{printable(wanted or '')}` is not a forwarded port",
            f"the forwarded ports are {names}",
            "see `rdoctl ports`",
        )
    if len(matching) > 1:
        raise RdoError(
            "several ports are forwarded", names, f"name one of them, as in `rdoctl open {matching[0].local}`"
        )
    return matching[0]
