"""Parses forwards: in the key `forward`, and after -L and -R, as with ssh(1).

Pure. Describes the two ends of a forward; rdo.forward carries the data.
"""

import re
from enum import Enum
from typing import NamedTuple

from rdo import printable
from rdo.config.names import NAME_LIMIT, PATH_LIMIT, host_fault, length_fault, port_fault
from rdo.fscodec import fsencode
from rdo.util.phrases import shortened

FIELD = r"\[([^]]*)\]|((?:[^:\[\]])*)"
"""A field between two colons. An address in brackets may contain colons."""

FORM = "is not of the form `PORT`, `PORT:PORT`, `PORT:HOST:PORT` or `unix:PATH`"

SOCKET_PATH_LIMIT = 103
"""Bytes of a socket's path: sun_path on macOS, without the final NUL. Linux has four more."""

EVERYWHERE = "*"
"""The host of a port that is open to other machines: all addresses."""


class InvalidForward(ValueError):
    """The text is a phrase that follows the invalid forward."""


class Endpoint(NamedTuple):
    """An end of a forward: a TCP port, or a Unix socket if `path` is set.

    For the end that listens, an empty `host` means the loopback addresses, and an empty `path` without a port means a
    socket in rdo's own directory.
    """

    host: str = ""
    port: int = 0
    path: str = ""

    @property
    def is_loopback(self) -> bool:
        """Whether a listener at this endpoint is unreachable for other machines."""
        return self.host in ("", "localhost", "::1") or self.host.startswith("127.")

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if host else str(self.port)


class ForwardKind(Enum):
    """Which end listens, in the terms of ssh(1)."""

    LOCAL = "local"
    """This machine listens, for a server that the target connects to."""
    REMOTE = "remote"
    """The target listens, for a server that this machine connects to."""
    DYNAMIC = "dynamic"
    """This machine listens as a SOCKS proxy, for whatever servers its clients ask for."""


class Forward(NamedTuple):
    """Where one end listens, and what the other end connects to. `exact`: only on that port."""

    listen: Endpoint
    destination: Endpoint
    exact: bool = False
    kind: ForwardKind = ForwardKind.LOCAL
    permitted: tuple[Endpoint, ...] | None = None
    """For a SOCKS proxy on the target: the permitted destinations, with 0 for any port; None for all."""

    @property
    def is_proxy(self) -> bool:
        """Whether the clients name the destination."""
        return self.destination == Endpoint()


class ForwardSet(NamedTuple):
    """The forwards in a target's own configuration, such as that of ssh, whatever profile leads there."""

    forwards: tuple[Forward, ...] = ()
    is_required: bool = False
    """Whether the target must not be used without all of them."""
    socket_mode: int = 0o600
    """The permissions of local Unix sockets."""
    replaces_sockets: bool = False
    """Whether an existing Unix socket is replaced."""


NO_FORWARDS = ForwardSet()


def parse_remote(word: str) -> Forward:
    """Parse the value of -R, in which port 0 lets the target choose. Raises InvalidForward."""
    fields = word.split(":")
    if fields == ["0"]:
        raise InvalidForward("names no port of this machine, as `0:3000` does")
    if len(fields) > 1 and fields[0] == "0":
        found = parse(word.replace("0", "1", 1))
        found = found._replace(listen=found.listen._replace(port=0))
    else:
        found = parse(word)
        if found.listen == Endpoint():
            found = found._replace(listen=found.destination)
    return found._replace(kind=ForwardKind.REMOTE)


def parse_dynamic(word: str) -> Forward:
    """Parse the value of -D: `[ADDRESS:]PORT`. Raises InvalidForward."""
    if why := printable.fault(word) or length_fault(word, PATH_LIMIT):
        raise InvalidForward(why)
    fields = _fields(word.removesuffix("!"))
    if len(fields) > 2 or "/" in word or not fields[-1].isdecimal():
        raise InvalidForward("is not of the form `PORT` or `ADDRESS:PORT`")
    return Forward(_listen(fields, Endpoint()), Endpoint(), word.endswith("!"), ForwardKind.DYNAMIC)


def parse(word: str) -> Forward:
    """Parse a forward. Raises InvalidForward."""
    if why := printable.fault(word) or length_fault(word, PATH_LIMIT):
        raise InvalidForward(why)
    exact = word.endswith("!")
    fields = _joined_paths(_fields(word.removesuffix("!")))
    destination, rest = _destination(fields)
    return Forward(_listen(rest, destination), destination, exact)


def fault(word: str) -> str:
    """What is wrong with a forward, as a phrase that follows it; empty if nothing is."""
    try:
        parse(word)
    except InvalidForward as error:
        return str(error)
    return ""


def _fields(word: str) -> list[str]:
    """The fields between colons, without brackets."""
    field = re.compile(FIELD)
    fields, at = [], 0
    while True:
        found = field.match(word, at)
        assert found is not None  # it matches nothing, too
        fields.append(found[2] if found[1] is None else found[1])
        at = found.end()
        if at == len(word):
            return fields
        if word[at] != ":":
            raise InvalidForward(FORM)
        at += 1


def _joined_paths(fields: list[str]) -> list[str]:
    """The fields without the `unix` before a path, which is redundant."""
    return [each for each, after in zip(fields, [*fields[1:], ""], strict=True) if each != "unix" or after[:1] != "/"]


def _destination(fields: list[str]) -> tuple[Endpoint, list[str]]:
    """The destination at the end of a word, and the fields before it."""
    *rest, last = fields
    if last.startswith("/"):
        return Endpoint(path=_path(last)), rest
    if not rest or rest[-1].startswith("/") or _are_ports(rest):
        return Endpoint("localhost", _port(last)), rest
    return Endpoint(_host(rest.pop()), _port(last)), rest


def _are_ports(rest: list[str]) -> bool:
    """Whether a port of the target directly follows a local one: `5433:5432`, or `127.0.0.1:5433:5432` as with
    docker."""
    return rest[-1].isdecimal() and (len(rest) == 1 or (len(rest) == 2 and not rest[0].isdecimal()))


def _listen(rest: list[str], destination: Endpoint) -> Endpoint:
    match rest:
        case []:
            return Endpoint(port=destination.port)
        case [path] if path.startswith("/"):
            return Endpoint(path=_path(path))
        case [port]:
            return Endpoint(port=_port(port))
        case [("" | "*"), port]:
            return Endpoint(EVERYWHERE, _port(port))
        case ["localhost", port]:
            return Endpoint(port=_port(port))
        case [address, port]:
            return Endpoint(_host(address), _port(port))
    raise InvalidForward(FORM)


def _port(field: str) -> int:
    if not (field.isascii() and field.isdecimal()):
        raise InvalidForward(FORM if not field else f"has `{shortened(field)}` where a port should be; it {FORM}")
    if port_fault(port := int(field[:6])):
        raise InvalidForward(f"has a port that {port_fault(port)}")
    return port


def _host(field: str) -> str:
    if not field or (why := host_fault(field) or length_fault(field, NAME_LIMIT)):
        raise InvalidForward(f"has a host that {why}" if field else FORM)
    if "!" in field:
        raise InvalidForward("has a `!` that is not at its end")
    return field


def _path(field: str) -> str:
    if len(fsencode(field)) > SOCKET_PATH_LIMIT:
        raise InvalidForward(f"has a path that is longer than {SOCKET_PATH_LIMIT} bytes, which no socket can have")
    return field
