"""What commands listen on, in the target's report, and at which host each port is reached there. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from rdo.fscodec import fsdecode
from rdo.util.phrases import shortened

LINE = re.compile(rb"(0|[1-9][0-9]{0,9}) (0|[1-9][0-9]{0,9}) ([^ ]{1,80}):([0-9A-F]{1,5}) (.*)", re.DOTALL)
"""Shell, process, address and port, and the program's name."""

KERNEL_DIGITS = (8, 32)
"""Hexadecimal digits of an address in /proc: IPv4, IPv6."""

LAST_PORT = 65535

ANYWHERE = "localhost"
"""With this name, the target tries both loopback addresses."""

IPV4, IPV6 = "127.0.0.1", "::1"

SWAPPED_LOOPBACK = "1.0.0.127"
"""127.0.0.1 on a big-endian kernel, read in the byte order of the others. It is never a real address."""


class ListeningPort(NamedTuple):
    """A port on which a command listens, with the shell of the command."""

    shell: int
    port: int
    host: str
    """The host by which the target reaches the port: a loopback address, or else its own."""
    pid: int
    process: str
    """The name of the program."""


class _Socket(NamedTuple):
    shell: int
    pid: int
    address: str
    """Empty for all IPv4 addresses, `::` for all addresses."""
    port: int
    process: str


def parse(lines: Iterable[bytes]) -> list[ListeningPort]:
    """The ports in an answer, one entry per number, in ascending order. Unreadable lines are ignored."""
    by_port: dict[int, list[_Socket]] = defaultdict(list)
    for line in lines:
        if (found := _socket(line)) is not None:
            by_port[found.port].append(found)
    ports = (_port(sockets) for _, sockets in sorted(by_port.items()))
    return [port for port in ports if port is not None]


def _port(sockets: list[_Socket]) -> ListeningPort | None:
    ours = sorted(each for each in sockets if each.shell)
    if not ours:
        return None
    first = ours[0]
    own = {each.address for each in ours if each.shell == first.shell}
    others = {each.address for each in sockets if each.shell != first.shell}
    return ListeningPort(first.shell, first.port, _host(own, others), first.pid, first.process)


def _host(own: set[str], others: set[str]) -> str:
    """The host at which the port is certain to reach this program and no other."""
    by_ipv4 = bool(own & {"", IPV4}) or ("::" in own and not others & {"", IPV4})
    by_ipv6 = bool(own & {"::", IPV6})
    if by_ipv4 and by_ipv6:
        return ANYWHERE
    if by_ipv4:
        return IPV4
    return IPV6 if by_ipv6 else min(own)


def _socket(line: bytes) -> _Socket | None:
    found = LINE.fullmatch(line)
    if found is None:
        return None
    shell, pid, text, digits, name = found.groups()
    try:
        address, is_hex = _address(text.decode("ascii"))
        port = int(digits, 16 if is_hex else 10)
    except ValueError:
        return None
    if not 0 < port <= LAST_PORT:
        return None
    return _Socket(int(shell), int(pid), address, port, shortened(fsdecode(name)))


def _address(text: str) -> tuple[str, bool]:
    """The address, and whether the port that follows it is hexadecimal, too. Raises ValueError."""
    if len(text) in KERNEL_DIGITS and text.isalnum():
        words = bytes.fromhex(text)
        packed = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
        return _normalized(ipaddress.ip_address(packed)), True
    # ss adds `%lo` to an address that belongs to one interface
    bare = text.removeprefix("[").removesuffix("]").partition("%")[0]
    return _normalized(ipaddress.ip_address("::" if bare == "*" else bare)), False


def _normalized(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    text = str(address)
    return {"0.0.0.0": "", SWAPPED_LOOPBACK: IPV4}.get(text, text)
