"""The algorithms that a connection may use: what the user's ssh configuration allows of what rdo supports. Pure."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from rdo.errors import ConnectError
from rdo.util.phrases import listed

DEFAULT_ORDERS = (
    (  # Ciphers, up to OpenSSH 9.9
        "chacha20-poly1305@openssh.com",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
    ),
    (  # Ciphers, from 10.0
        "chacha20-poly1305@openssh.com",
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
    ),
)
"""Orders that no user chose: `ssh -G` prints a configured list and the default alike."""

SIGNATURES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
"""Signatures that rdo can verify, and that it accepts by default."""

LEGACY_RSA = "ssh-rsa"
"""Signatures with SHA-1, used only if the user's configuration names them."""

CERTIFICATE = "-cert-v01@openssh.com"
LISTED_LIMIT = 6
"""Names of algorithms that an error message lists."""

NAME_LENGTH_LIMIT = 64
"""Characters of a name (RFC 4251, section 6)."""

HOST_KEYS = (*(name + CERTIFICATE for name in SIGNATURES), *SIGNATURES)

KEY_EXCHANGES = (
    "mlkem768x25519-sha256",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group14-sha256",
)

AEAD_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
"""Ciphers that need no separate MAC."""

CIPHERS = (
    *AEAD_CIPHERS,
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)
"""The fastest first: paramiko's CTR is a third as fast as GCM."""

LEGACY_CIPHERS = ("aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc")

MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
    "hmac-sha1",
)

LEGACY_MACS = ("hmac-sha1-96", "hmac-md5", "hmac-md5-96")

DELAYED_ZLIB = "zlib@openssh.com"
"""Compression that begins once the login is over."""

Allowed = tuple[str, ...] | None
"""Names that the user's ssh configuration allows; None if it does not say, and empty if it allows none."""


class Algorithms(NamedTuple):
    """What the user's ssh configuration allows, in order of preference."""

    host_keys: Allowed = None
    key_exchanges: Allowed = None
    ciphers: Allowed = None
    macs: Allowed = None
    public_keys: Allowed = None
    ca_signatures: Allowed = None
    compression: bool = False
    rsa_bits: int = 0
    """The minimum size of RSA keys."""


class AlgorithmOffer(NamedTuple):
    """What rdo offers in the key exchange, in order of preference."""

    host_keys: tuple[str, ...]
    key_exchanges: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]
    compression: tuple[str, ...]


def offer(
    allowed: Algorithms, host_keys: tuple[str, ...], key_exchanges: Sequence[str] = KEY_EXCHANGES
) -> AlgorithmOffer:
    """The allowed algorithms, with these for the host key. Raises ConnectError if nothing of a kind is left.

    `key_exchanges` are those that this installation supports.
    """
    ciphers = chosen("Ciphers", allowed.ciphers, CIPHERS, LEGACY_CIPHERS)
    macs = permitted(allowed.macs, (*MACS, *LEGACY_MACS) if allowed.macs else MACS)
    alone = tuple(name for name in ciphers if name in AEAD_CIPHERS)
    if alone and not macs:
        ciphers, macs = alone, MACS  # no MAC is used then
    return AlgorithmOffer(
        host_keys,
        chosen("KexAlgorithms", allowed.key_exchanges, key_exchanges),
        ciphers,
        macs or chosen("MACs", allowed.macs, MACS, LEGACY_MACS),
        (DELAYED_ZLIB, "none") if allowed.compression else ("none",),
    )


def names(text: str | None, default: Sequence[str]) -> Allowed:
    """The names in a list of ssh_config(5). A `+`, `-` or `^` before it modifies the default."""
    if text is None:
        return None
    given = [name for name in text.lstrip("+-^").split(",") if name]
    if text.startswith("+"):
        return (*default, *(name for name in given if name not in default))
    if text.startswith("-"):
        return tuple(name for name in default if not any(fnmatchcase(name, pattern) for pattern in given))
    if text.startswith("^"):
        return (*given, *(name for name in default if name not in given))
    return tuple(given)


def permitted(allowed: Allowed, able: Sequence[str]) -> tuple[str, ...]:
    """The allowed names among those that rdo supports, in the user's order; in ours, if the user has not chosen one."""
    if allowed is None:
        return tuple(able)
    if any(_is_within(allowed, order) for order in DEFAULT_ORDERS):
        return tuple(name for name in able if name in allowed)
    return tuple(name for name in allowed if name in able)


def chosen(option: str, allowed: Allowed, able: Sequence[str], more: Sequence[str] = ()) -> tuple[str, ...]:
    """The same, with those of `more` that are named explicitly. Raises ConnectError if nothing is left."""
    found = permitted(allowed, (*able, *more) if allowed else able)
    if not found:
        why = f"the ssh configuration allows {_some(allowed or ())}"
        hint = f"allow one of {', '.join((*able, *more))}"
        raise ConnectError(f"rdo supports none of the {option} of this host", why, hint)
    return found


def _some(names: Sequence[str]) -> str:
    """The first of the names, for an error message."""
    more = f" and {len(names) - LISTED_LIMIT} more" if len(names) > LISTED_LIMIT else ""
    return listed([name[:NAME_LENGTH_LIMIT] for name in names[:LISTED_LIMIT]]) + more if names else "none at all"


def _is_within(part: Sequence[str], order: Sequence[str]) -> bool:
    """Whether `part` is the order with some names left out."""
    left = iter(order)
    return all(name in left for name in part)
