"""The part of `rdoctl explain` about ports that would be forwarded: by the command line, the config, and ssh's own."""

from __future__ import annotations

from collections.abc import Iterator

from rdo.cli import table
from rdo.config import forwards
from rdo.config.forwards import Endpoint, Forward, ForwardSet
from rdo.config.load import Config
from rdo.forward.forward_words import configured_route
from rdo.ipc.request import Request
from rdo.master import port_forwards

OWN_SOCKET = "a socket of rdo's own"


def sections(loaded: Config, asked: Request, name: str, of_ssh: ForwardSet) -> Iterator[tuple[str, list[str]]]:
    """The part, if there is anything in it. Raises RdoError for what would be refused."""
    configured = tuple(map(forwards.parse, loaded.settings.forward))
    port_forwards.check_addresses(loaded, configured)
    rows = [
        *((_route(each, name), "while the command runs") for each in port_forwards.wanted(asked.forwards)),
        *((_route(each, name), "while the target is connected, by the key `forward`") for each in configured),
        *((_route(each, name), "while the target is connected, by the ssh configuration") for each in of_ssh.forwards),
    ]
    if loaded.settings.auto_forward:
        rows.append((_by_itself(loaded), "by the key `auto_forward`"))
    if rows:
        yield "Ports", table.render(rows)


def _by_itself(loaded: Config) -> str:
    if loaded.settings.driver == "local" or loaded.settings.fresh:
        return "nothing"
    return "what the command listens on, while it does"


def _route(forward: Forward, name: str) -> str:
    if forward.listen == Endpoint() and forward.destination.path:
        return f"{OWN_SOCKET} -> {name}:{forward.destination.path}"
    return configured_route(forward, name)
