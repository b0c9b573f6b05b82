"""A server's offer for the key exchange (RFC 4253, section 7.1), and what of it rdo lacks. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from rdo.drivers.ssh.algorithms import AEAD_CIPHERS, LISTED_LIMIT, NAME_LENGTH_LIMIT
from rdo.drivers.ssh.fields import Body, MessageReader

COOKIE = 16
"""Random bytes at the start of the message."""
SIGNS = ("ext-info-", "kex-strict-")
"""Prefixes of other things among the key exchange methods."""
SETTINGS = {
    "key exchange methods": "KexAlgorithms",
    "host key algorithms": "HostKeyAlgorithms and HostKey",
    "ciphers": "Ciphers",
    "MACs": "MACs",
    "compression methods": "Compression",
}
"""Each kind of algorithm, with its option in sshd_config(5)."""


class ServerOffer(NamedTuple):
    """The names of each kind, in the server's order of preference; for both directions, if these can differ."""

    kex: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[tuple[str, ...], tuple[str, ...]]
    macs: tuple[tuple[str, ...], tuple[str, ...]]
    compression: tuple[tuple[str, ...], tuple[str, ...]]


class Mismatch(NamedTuple):
    """What the two sides cannot agree on: the server's names of that kind, and the option to change there."""

    kind: str
    names: tuple[str, ...]

    @property
    def why(self) -> str:
        """The reason, for an error."""
        more = f" and {len(self.names) - LISTED_LIMIT} more" if len(self.names) > LISTED_LIMIT else ""
        listed = ", ".join(name[:NAME_LENGTH_LIMIT] for name in self.names[:LISTED_LIMIT]) or "none"
        return f"the server offers only these {self.kind}: {listed}{more}; rdo and your ssh configuration allow none"

    def hint(self, ours: Sequence[str]) -> str:
        """What to type next, with the first of our own names."""
        return f"add `{ours[0]}` to {SETTINGS[self.kind]} in its sshd_config, or allow others here" if ours else ""


class NoCommonAlgorithm(Exception):
    """The two sides have no algorithm of one kind in common."""

    def __init__(self, mismatch: Mismatch, hint: str) -> None:
        super().__init__(mismatch.why)
        self.hint = hint


def parse(body: Body) -> ServerOffer:
    """The offer in a KEXINIT message. Raises Violation."""
    fields = MessageReader(body)
    fields.take(COOKIE)
    kex = tuple(name for name in fields.names() if not name.startswith(SIGNS))
    keys = fields.names()
    pairs = [(fields.names(), fields.names()) for _ in range(3)]
    return ServerOffer(kex, keys, *pairs)


def mismatch(offer: ServerOffer, ours: Mapping[str, Sequence[str]]) -> Mismatch | None:
    """The first kind for which the server offers none of `ours`; None if there is one of each.

    A cipher that authenticates needs no MAC, so that none has to be agreed on (OpenSSH's PROTOCOL, section 1.6).
    """
    ciphers = ours["ciphers"]
    offered = {
        "key exchange methods": (offer.kex,),
        "host key algorithms": (offer.host_keys,),
        "ciphers": offer.ciphers,
        "MACs": [macs for names, macs in zip(offer.ciphers, offer.macs, strict=True) if needs_mac(names, ciphers)],
        "compression methods": offer.compression,
    }
    for kind, lists in offered.items():
        for names in lists:
            if not set(names) & set(ours[kind]):
                return Mismatch(kind, names)
    return None


def needs_mac(theirs: Collection[str], ours: Sequence[str]) -> bool:
    """Whether the agreed cipher, our first one that they have, needs a MAC to detect changes."""
    return next((name for name in ours if name in theirs), None) not in AEAD_CIPHERS
