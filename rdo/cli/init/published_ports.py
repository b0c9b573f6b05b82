"""Converts ports as `docker run -p` and compose files publish them to values of the key `forward`. Pure.

Source: https://docs.docker.com/reference/compose-file/services/#ports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rdo.config import forwards

RANGE_LIMIT = 64
"""The most ports in a range such as `3000-3005`, since rdo would listen on each of them."""

DEFAULT = re.compile(r"\$\{\w+:?-([^${}]*)\}")
"""Matches a variable with a default, such as `${PORT:-8080}`; the default is used."""

UNCLEAR = "name the ports that you need in `forward`"


class NotForwarded(ValueError):
    """The port cannot be forwarded; the message is the reason, as a phrase."""


def words(published: str) -> list[str]:
    """Convert `80`, `8080:80`, `127.0.0.1:8080:80/tcp` or `3000-3005:3000-3005`. Raises NotForwarded.

    The address is left out: rdo listens on the loopback addresses.
    """
    text, _, protocol = DEFAULT.sub(r"\1", published).partition("/")
    if protocol not in ("", "tcp"):
        raise NotForwarded("rdo forwards TCP only")
    *before, last = text.split(":")
    there = _range(last)
    here = _range(before[-1]) if before and before[-1] else there
    if len(here) != len(there):
        raise NotForwarded(UNCLEAR)
    return [str(to) if port == to else f"{port}:{to}" for port, to in zip(here, there, strict=True)]


def of_table(table: Mapping[str, str]) -> list[str]:
    """Convert the long form of compose, with `target`, `published`, `protocol` and others. Raises NotForwarded."""
    there = table.get("target", "")
    return words(f"{table.get('published') or there}:{there}/{table.get('protocol', '')}")


def _range(field: str) -> Sequence[int]:
    """The ports of `3000` or `3000-3005`. Raises NotForwarded."""
    first, dash, last = field.partition("-")
    if any(not each.isdecimal() or forwards.fault(each) for each in (first, last if dash else first)):
        raise NotForwarded(UNCLEAR)
    found = range(int(first), int(last if dash else first) + 1)
    if not 0 < len(found) <= RANGE_LIMIT:
        raise NotForwarded(UNCLEAR)
    return found
