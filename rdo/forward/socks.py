"""The part of a SOCKS connection before its data: versions 4 and 4a, and 5 (RFC 1928). Pure.

As with ssh(1), clients need not authenticate, and can only ask for a connection to a port.
"""

from __future__ import annotations

import ipaddress

from rdo.config.forwards import Endpoint
from rdo.config.names import host_fault
from rdo.fscodec import fsdecode

REQUEST_LIMIT = 1024
"""Bytes of a request: a name of 255, and more than any program sends as a user name."""

CONNECT = 1

NO_AUTHENTICATION = 0
NO_METHOD = b"\5\xff"
METHOD = b"\5\0"

IPV4, NAME, IPV6 = 1, 3, 4
"""Address types of version 5."""

GRANTED_4, REFUSED_4 = (b"\0" + code + bytes(6) for code in (b"\x5a", b"\x5b"))

_BOUND = b"\0\1" + bytes(6)
"""The bound address in an answer. Only the target knows the real one; ssh(1) sends the same."""

GRANTED_5, FAILED_5, FORBIDDEN_5, UNREACHABLE_5, REFUSED_5, NO_COMMAND_5, NO_ADDRESS_5 = (
    b"\5" + bytes([code]) + _BOUND for code in (0, 1, 2, 4, 5, 7, 8)
)

REASONS = {"refused": REFUSED_5, "forbids": FORBIDDEN_5, "unreachable": UNREACHABLE_5, "resol": UNREACHABLE_5}
"""Words in the reason why no connection could be made, with the reply code for each."""


class SocksError(Exception):
    """The client cannot be served: the reason, and the `answer` to send before disconnecting."""

    def __init__(self, why: str, answer: bytes = b"") -> None:
        super().__init__(why)
        self.answer = answer


class _Incomplete(Exception):
    """More data is needed."""


class SocksRequest:
    """The request of one client. Pass what it sends to `receive` until there is a `destination`."""

    def __init__(self) -> None:
        self.destination: Endpoint | None = None
        self.granted = b""
        """The answer to send once there is a connection."""
        self._received = b""
        self._has_method = False

    @property
    def rest(self) -> bytes:
        """The data that followed the request."""
        return self._received

    def receive(self, data: bytes) -> bytes:
        """Take data, and return the answer to send now. Raises SocksError."""
        self._received += data
        answer = b""
        try:
            if self._received[0] == 4:
                self._read_4()
            elif self._received[0] != 5:
                raise SocksError("the client does not speak SOCKS")
            else:
                if not self._has_method:
                    answer = self._read_methods()
                self._read_5()
        except _Incomplete:
            if len(self._received) > REQUEST_LIMIT:
                raise SocksError("the client sent a request that is too long") from None
        return answer

    def refused(self, why: str) -> bytes:
        """The answer to send if there is no connection, and the reason."""
        if self.granted == GRANTED_4:
            return REFUSED_4
        return next((answer for word, answer in REASONS.items() if word in why.lower()), FAILED_5)

    def _read_methods(self) -> bytes:
        fields = _Fields(self._received[1:])
        methods = fields.take(fields.number())
        if NO_AUTHENTICATION not in methods:
            raise SocksError("the client does not connect without authentication", NO_METHOD)
        self._has_method, self._received = True, fields.rest
        return METHOD

    def _read_4(self) -> None:
        fields = _Fields(self._received[1:])
        command, port, address = fields.number(), fields.number(2), fields.take(4)
        fields.text()  # the user name, which nobody checks
        is_name = address[:3] == bytes(3) and address[3] != 0
        host = fields.text() if is_name else str(ipaddress.IPv4Address(address))
        self._finish(fields, command, host, port, GRANTED_4, REFUSED_4)

    def _read_5(self) -> None:
        fields = _Fields(self._received)
        version, command, _, kind = (fields.number() for _ in range(4))
        if version != 5:
            raise SocksError("the client does not speak SOCKS")
        if kind == IPV4:
            host = str(ipaddress.IPv4Address(fields.take(4)))
        elif kind == IPV6:
            host = str(ipaddress.IPv6Address(fields.take(16)))
        elif kind == NAME:
            host = fsdecode(fields.take(fields.number()))
        else:
            raise SocksError("the client asks for an address of an unknown kind", NO_ADDRESS_5)
        self._finish(fields, command, host, fields.number(2), GRANTED_5, NO_COMMAND_5)

    def _finish(self, fields: _Fields, command: int, host: str, port: int, granted: bytes, refused: bytes) -> None:
        self.granted = granted
        if command != CONNECT:
            raise SocksError("the client asks for something other than a connection", refused)
        if not host or not port or host_fault(host):
            raise SocksError("the client asks for an address that cannot exist", self.refused("unreachable"))
        self.destination, self._received = Endpoint(host, port), fields.rest


class _Fields:
    """Reads fields one after the other. Raises _Incomplete."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def take(self, size: int) -> bytes:
        if len(self.rest) < size:
            raise _Incomplete
        found, self.rest = self.rest[:size], self.rest[size:]
        return found

    def number(self, size: int = 1) -> int:
        return int.from_bytes(self.take(size), "big")

    def text(self) -> str:
        """The text up to a NUL byte."""
        if b"\0" not in self.rest:
            raise _Incomplete
        found, _, self.rest = self.rest.partition(b"\0")
        return fsdecode(found)
