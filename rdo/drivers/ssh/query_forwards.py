"""The forwards in the output of `ssh -G`. Pure."""

from __future__ import annotations

import re

from rdo.config.forwards import EVERYWHERE, NO_FORWARDS, Endpoint, Forward, ForwardKind, ForwardSet
from rdo.drivers.ssh.option_table import Found

PAIR = r"(.+?) (\[.*\]:\d+|/.*|[^ ]+:\d+)"
"""A listener and its destination. A path may contain blanks; text in brackets is an address or a name."""

SOCKS = " [socks]:0"
"""The destination that `ssh -G` prints for a RemoteForward that is a proxy. Some releases print none."""

TRUE = ("yes", "true")


def forwards(found: Found) -> ForwardSet:
    """All forwards in the options. Raises ValueError."""
    if _first(found, "clearallforwardings") in TRUE:
        return NO_FORWARDS
    is_open = _first(found, "gatewayports") in TRUE
    local = [_pair(text, ForwardKind.LOCAL) for text in found.get("localforward", ())]
    permitted = _permitted(_first(found, "permitremoteopen"))
    remote = [_remote(text, permitted) for text in found.get("remoteforward", ())]
    # Some releases also print those LocalForwards here that lead to a local socket.
    listens = [text.split(" ")[0] for text in found.get("localforward", ())]
    dynamic = [
        Forward(_listen(text, "DynamicForward"), Endpoint(), True, ForwardKind.DYNAMIC)
        for text in found.get("dynamicforward", ())
        if text not in listens and not text.startswith("/")
    ]
    here = [each._replace(listen=_opened(each.listen)) if is_open else each for each in (*local, *dynamic)]
    return ForwardSet(
        (*here, *remote),
        _first(found, "exitonforwardfailure") in TRUE,
        0o666 & ~int(_first(found, "streamlocalbindmask") or "0177", 8),
        _first(found, "streamlocalbindunlink") in TRUE,
    )


def _first(found: Found, name: str) -> str:
    return next(iter(found.get(name, ())), "")


def _remote(text: str, permitted: tuple[Endpoint, ...] | None) -> Forward:
    listen = text.removesuffix(SOCKS)
    if " " in listen:
        return _pair(text, ForwardKind.REMOTE)
    return Forward(_listen(listen, "RemoteForward"), Endpoint(), True, ForwardKind.REMOTE, permitted)


def _permitted(text: str) -> tuple[Endpoint, ...] | None:
    """The permitted destinations of proxies on the target."""
    if text in ("", "any"):
        return None
    words = [] if text == "none" else text.split()
    return tuple(_endpoint(word.removesuffix("*") + "0" * word.endswith(":*"), "PermitRemoteOpen") for word in words)


def _pair(text: str, kind: ForwardKind) -> Forward:
    name = f"{kind.value.capitalize()}Forward"
    match = re.fullmatch(PAIR, text)
    if match is None:
        raise ValueError(f"{name} cannot be `{text}`")
    return Forward(_listen(match[1], name), _endpoint(match[2], name), True, kind)


def _listen(text: str, name: str) -> Endpoint:
    endpoint = _endpoint(text, name)
    return endpoint._replace(host="") if endpoint.host == "localhost" else endpoint


def _endpoint(text: str, name: str) -> Endpoint:
    if text.startswith("/"):
        return Endpoint(path=text)
    host, colon, port = text.rpartition(":")
    if not (port.isascii() and port.isdecimal()) or int(port[:6]) > 0xFFFF:
        raise ValueError(f"{name} cannot be `{text}`")
    host = host.removeprefix("[").removesuffix("]")
    return Endpoint(EVERYWHERE if colon and not host else host, int(port))


def _opened(endpoint: Endpoint) -> Endpoint:
    """With GatewayPorts, an endpoint without an address is on all addresses."""
    return endpoint._replace(host=EVERYWHERE) if endpoint.port and not endpoint.host else endpoint
