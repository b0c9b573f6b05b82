"""Converts what a devcontainer.json says about ports to config keys. Pure.

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
"""The properties that are read here."""

OPENED = ("openBrowser", "openBrowserOnce", "openPreview")
"""Values of onAutoForward with which an editor shows the page."""

IGNORED = "ignore"
"""The value of onAutoForward with which an editor ignores a port that something listens on."""

LOWEST = 1024
"""Ports below this one are reserved for root; an editor may ask for root's permissions."""

UNNAMED = "name the ports that you need in `forward`"

_FORWARDED = re.compile(r"(([\w.-]*[A-Za-z][\w.-]*|(\d+\.){3}\d+|\[[\w.:]+\]):)?\d{1,5}")
"""Matches `3000` or `db:5432`."""

Attributes = Mapping[str, Any]


class DevcontainerPorts(NamedTuple):
    """The ports of a devcontainer.json. `remarks` has the labels that the file gives to some of them."""

    forward: Sequence[str] = ()
    is_automatic: bool = False
    """Whether the file expects other ports to be forwarded once something listens on them."""
    remarks: Mapping[str, str] = MappingProxyType({})
    left_out: Sequence[LeftOut] = ()

    @property
    def values(self) -> dict[str, Any]:
        """The corresponding config keys and their values."""
        automatic = {"auto_forward": True} if self.is_automatic else {}
        return {"forward": self.forward, **automatic} if self.forward else automatic


def read(data: Mapping[str, Any], substitute: Callable[[str], str] = str) -> DevcontainerPorts:
    """Read forwarded ports, their labels, and what no key can express. `substitute` expands the file's variables."""
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
    """Like `read`, for the text of a file; without any ports if it is not valid."""
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
    """The attributes of a port. Those under its own number take precedence over those of a range that includes it."""
    names = [name for name in given if _covers(name, destination)]
    return _table(given[min(names, key=lambda name: "-" in name)]) if names else {}


def _covers(name: str, destination: Endpoint) -> bool:
    """Whether a name such as `3000`, `db:5432` or `3000-3010` covers the port. Others are patterns for programs."""
    if found := re.fullmatch(r"(\d+)-(\d+)", name):
        return destination.host == "localhost" and int(found[1]) <= destination.port <= int(found[2])
    try:
        return forwards.parse(name).destination == destination
    except InvalidForward:
        return False


def _left_out(word: str, forward: Forward, attributes: Attributes) -> Iterator[LeftOut]:
    """The attributes of a port that no key can express."""
    name = f"portsAttributes.{word}"
    is_tls = attributes.get("protocol") == "https"
    if is_tls or attributes.get("onAutoForward") in OPENED:
        port = forward.listen.port
        advice = f"open https://localhost:{port} yourself" if is_tls else f"`rdoctl open {port}` opens it"
        yield LeftOut(f"{name}.{'protocol' if is_tls else 'onAutoForward'}", advice)
    if attributes.get("elevateIfNeeded") is True and forward.listen.port < LOWEST:
        why = "rdo does not ask for root's permissions; a port that is reserved for root is moved up by 8000"
        yield LeftOut(f"{name}.elevateIfNeeded", why)
