"""What a devcontainer.json says of ports, in rdo's keys. Pure.

The format: https://containers.dev/implementors/json_reference/#port-attributes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from rdo.cli.init import published_ports
from rdo.cli.init.published_ports import NotForwarded
from rdo.cli.init.template import LeftOut
from rdo.config import forwards
from rdo.config.forwards import Endpoint, Forward, InvalidForward
from rdo.util import jsonc

NAMES = ("forwardPorts", "appPort", "portsAttributes", "otherPortsAttributes")
"""What is read here."""

OPENED = ("openBrowser", "openBrowserOnce", "openPreview")
"""Values of onAutoForward with which an editor shows the page."""

IGNORED = "ignore"
"""The one with which it does nothing with a port on which something listens."""

LOWEST = 1024
"""Ports below it are reserved for root, whose rights an editor may ask for."""

UNNAMED = "name the ports that you need in `forward`"

_FORWARDED = re.compile(r"(([\w.-]*[A-Za-z][\w.-]*|(\d+\.){3}\d+|\[[\w.:]+\]):)?\d{1,5}")
"""`3000` or `db:5432`."""

Attributes = Mapping[str, Any]


class DevcontainerPorts(NamedTuple):
    """`remarks` say what the file calls some of them."""

    forward: Sequence[str] = ()
    is_automatic: bool = False
    """Whether it expects others to be forwarded once something listens there."""
    remarks: Mapping[str, str] = MappingProxyType({})
    left_out: Sequence[LeftOut] = ()

    @property
    def values(self) -> dict[str, Any]:
        """The config keys that say so."""
        automatic = {"auto_forward": True} if self.is_automatic else {}
        return {"forward": self.forward, **automatic} if self.forward else automatic


def read(data: Mapping[str, Any], substitute: Callable[[str], str] = str) -> DevcontainerPorts:
    """What is forwarded, what it is called, and what of it no key says. `substitute` puts in the file's variables."""
    left_out: list[LeftOut] = []
    found = {word: forwards.parse(word) for word in _words(data, substitute, left_out)}
    given = _table(data.get("portsAttributes"))
    words, labels = [], []
    for word, forward in found.items():
        attributes = _attributes(given, forward.destination)
        words.append(f"{word}!" if attributes.get("requireLocalPort") is True else word)
        if isinstance(label := attributes.get("label"), str) and label.strip():
            labels.append(f"{word} is {label.strip()}")
        left_out += _left_out(word, forward, attributes)
    destinations = [forward.destination for forward in found.values()]
    others = [name for name in given if not any(_covers(name, each) for each in destinations)]
    rest = _table(data.get("otherPortsAttributes")).get("onAutoForward")
    wanted = [name for name in others if _table(given[name]).get("onAutoForward") != IGNORED]
    is_automatic = rest != IGNORED and bool(wanted or rest)
    if is_automatic:
        unwanted = [name for name in others if name not in wanted]
        left_out += [LeftOut(f"portsAttributes.{name}", "`auto_forward` makes no exceptions") for name in unwanted]
    else:
        left_out += [LeftOut(f"portsAttributes.{name}", UNNAMED) for name in wanted]
    return DevcontainerPorts(words, is_automatic, {"forward": ", ".join(labels)} if labels else {}, left_out)


def of_file(text: str) -> DevcontainerPorts:
    """The same, of a file whose other contents do not matter: nothing, where it is not one."""
    try:
        data = jsonc.loads(text)
    except ValueError:
        return DevcontainerPorts()
    return read(_table(data))


def _words(data: Mapping[str, Any], substitute: Callable[[str], str], left_out: list[LeftOut]) -> Iterator[str]:
    for each in _list(data.get("forwardPorts")):
        word = substitute(str(each))
        if _FORWARDED.fullmatch(word) and not forwards.fault(word):
            yield word
        else:
            left_out.append(LeftOut(f"forwardPorts {each}", UNNAMED))
    for each in _list(data.get("appPort")):
        try:
            yield from published_ports.words(substitute(str(each)))
        except NotForwarded as error:
            left_out.append(LeftOut(f"appPort {each}", str(error)))


def _list(value: Any) -> Sequence[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _table(value: Any) -> Attributes:
    return value if isinstance(value, dict) else {}


def _attributes(given: Attributes, destination: Endpoint) -> Attributes:
    """Those of a port: by its own name, rather than by a range that it is in."""
    names = [name for name in given if _covers(name, destination)]
    return _table(given[min(names, key=lambda name: "-" in name)]) if names else {}


def _covers(name: str, destination: Endpoint) -> bool:
    """Whether `3000`, `db:5432` or `3000-3010` is that port, or has it. Any other name is a pattern for programs."""
    if found := re.fullmatch(r"(\d+)-(\d+)", name):
        return destination.host == "localhost" and int(found[1]) <= destination.port <= int(found[2])
    try:
        return forwards.parse(name).destination == destination
    except InvalidForward:
        return False


def _left_out(word: str, forward: Forward, attributes: Attributes) -> Iterator[LeftOut]:
    """What the attributes of a port say besides."""
    name = f"portsAttributes.{word}"
    is_tls = attributes.get("protocol") == "https"
    if is_tls or attributes.get("onAutoForward") in OPENED:
        port = forward.listen.port
        advice = f"open https://localhost:{port} yourself" if is_tls else f"`rdoctl open {port}` opens it"
        yield LeftOut(f"{name}.{'protocol' if is_tls else 'onAutoForward'}", advice)
    if attributes.get("elevateIfNeeded") is True and forward.listen.port < LOWEST:
        why = "rdo does not ask for the rights of root; a port that is reserved for root moves up by 8000"
        yield LeftOut(f"{name}.elevateIfNeeded", why)
