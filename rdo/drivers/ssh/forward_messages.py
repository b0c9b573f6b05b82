"""Messages about ports and sockets on which the server should listen for us (RFC 4254, section 7; OpenSSH's PROTOCOL,
section 2.4). Pure."""

from __future__ import annotations

from paramiko.common import MSG_GLOBAL_REQUEST

from rdo.config.forwards import Endpoint
from rdo.drivers.ssh.fields import Body, MessageReader, Violation, text, uint32, words
from rdo.drivers.ssh.messages import EncodedMessage
from rdo.fscodec import fsdecode

PORT_STREAM = b"forwarded-tcpip"
SOCKET_STREAM = b"forwarded-streamlocal@openssh.com"
"""The types of channels for connections to a port, or to a Unix socket, on which the server listens for us."""

LOOPBACK = "localhost"
"""The loopback addresses of both families, unless the server overrides that (GatewayPorts)."""


def address(at: Endpoint) -> str:
    """The address to listen on, as in the request, and as the server reports it for each connection."""
    return {"": LOOPBACK, "*": ""}.get(at.host, at.host)


def listen(at: Endpoint) -> EncodedMessage:
    """Ask the server to listen; the reply has the port if that is 0."""
    if at.path:
        return _request("streamlocal-forward@openssh.com", text(at.path))
    return _request("tcpip-forward", text(address(at)) + uint32(at.port))


def stop_listening(at: Endpoint) -> EncodedMessage:
    """Ask the server to stop listening; a reply follows."""
    if at.path:
        return _request("cancel-streamlocal-forward@openssh.com", text(at.path))
    return _request("cancel-tcpip-forward", text(address(at)) + uint32(at.port))


def chosen_port(body: Body) -> int:
    """The port that the server has chosen. Raises Violation."""
    port = MessageReader(body).number()
    if not 0 < port < 0x10000:
        raise Violation("it listens on a port that does not exist")
    return port


def port_of_stream(body: Body) -> tuple[str, int]:
    """The address and port on which the server listens, in the details of a connection. Raises Violation."""
    fields = MessageReader(body)
    return words(fields.string()), fields.number()


def path_of_stream(body: Body) -> str:
    """The path of the Unix socket in the details of a connection. Raises Violation."""
    return fsdecode(MessageReader(body).string())


def _request(kind: str, details: bytes) -> EncodedMessage:
    return EncodedMessage(bytes([MSG_GLOBAL_REQUEST]) + text(kind) + b"\1" + details)
