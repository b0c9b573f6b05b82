"""Whether the host of a URL denotes the machine that opens it, whatever its spelling. Pure.

See https://url.spec.whatwg.org/#host-parsing: a browser decodes `%31`, maps letters of other alphabets and zero-width
characters, and reads `0x7f.1` and `2130706433` as addresses.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from urllib.parse import unquote

_NAME = re.compile(r"(?:.*\.)?localhost\.?")
"""Browsers resolve `*.localhost` to this machine, too (RFC 6761)."""

_NUMBER = re.compile(r"0x(?P<hexadecimal>[0-9a-f]*)|0(?P<octal>[0-7]+)|(?P<decimal>0|[1-9][0-9]*)")

_BASES = {"hexadecimal": 16, "octal": 8, "decimal": 10}

_FULL_STOP = "\u3002"
"""The ideographic full stop, which separates the labels of a host name like a dot."""


def is_this_machine(host: str) -> bool:
    """Whether the host is this machine: its name, one of its addresses, or the wildcard address, which servers print
    that listen on all."""
    if ":" in host:
        return _is_here(_ipv6(host))
    name = _mapped(host)
    return _NAME.fullmatch(name) is not None or _is_here(_ipv4(name))


def _mapped(host: str) -> str:
    """The name as a browser looks it up."""
    visible = "".join(char for char in unquote(host) if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", visible).casefold().replace(_FULL_STOP, ".")


def _is_here(address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bool:
    return address is not None and (address.is_loopback or address.is_unspecified)


def _ipv6(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        return None
    return address.ipv4_mapped or address


def _ipv4(name: str) -> ipaddress.IPv4Address | None:
    """The address made of up to four numbers, the last of which fills all remaining bytes."""
    parts = name.removesuffix(".").split(".")
    numbers = [number for part in parts if (number := _number(part)) is not None]
    if len(numbers) < len(parts) or len(parts) > 4:
        return None
    *first, last = numbers
    if any(number > 255 for number in first) or last >= 256 ** (5 - len(numbers)):
        return None
    return ipaddress.IPv4Address(last + sum(number << 8 * (3 - at) for at, number in enumerate(first)))


def _number(part: str) -> int | None:
    found = _NUMBER.fullmatch(part)
    if found is None or found.lastgroup is None:
        return None
    return int(found[found.lastgroup] or "0", _BASES[found.lastgroup])
