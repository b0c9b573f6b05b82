"""The user's SSH agent: its keys, and signatures by them (draft-miller-ssh-agent). Never asks the user.

paramiko's own client looks for the agent in the environment of this process, which is not the caller's.
"""

from __future__ import annotations

import contextlib
import socket
from typing import NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from rdo.drivers.ssh.algorithms import CERTIFICATE
from rdo.drivers.ssh.auth.private_key import FileKey, SigningFailed, public_blob
from rdo.drivers.ssh.fields import BlobReader, kind_of, mpint, string, text, uint32

REQUEST_IDENTITIES, IDENTITIES_ANSWER, SIGN_REQUEST, SIGN_RESPONSE = 11, 12, 13, 14
SUCCESS = 6
EXTENSION, SESSION_BIND = 27, b"session-bind@openssh.com"
"""OpenSSH's PROTOCOL.agent, section 1."""
SHA2_FLAGS = {"rsa-sha2-256": 2, "rsa-sha2-512": 4}
CONNECT_TIMEOUT = 5.0
"""Seconds for a local socket to accept and to list keys."""
SIGN_TIMEOUT = 120.0
"""Seconds for a signature: the agent may ask its user, or wait for a security key to be touched."""
MESSAGE_LIMIT = 256 * 1024
"""Bytes of a message: the limit of OpenSSH's own agent."""


class Agent:
    """A connection to the agent at `path`; without keys if there is none."""

    def __init__(self, path: str) -> None:
        self._socket: socket.socket | None = None
        if path:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(CONNECT_TIMEOUT)
            try:
                connection.connect(path)
                self._socket = connection
            except OSError:  # a stale SSH_AUTH_SOCK is common, and ssh ignores it
                connection.close()

    def bind(self, host_key: bytes, session_id: bytes, signature: bytes, *, forwarding: bool = False) -> None:
        """Bind the agent to the connection that it signs for, so that keys restricted to some hosts can be used.

        `forwarding`: the agent is used by a program on that host. An agent without this extension refuses, and is used
        anyway.
        """
        fields = b"".join(map(string, (SESSION_BIND, host_key, session_id, signature)))
        with contextlib.suppress(OSError, SigningFailed, ValueError):
            self._ask(bytes([EXTENSION]) + fields + bytes([forwarding]))

    def add(self, request: bytes) -> bool:
        """Add a key to the agent, and return whether that succeeded."""
        try:
            return self._ask(request)[0] == SUCCESS
        except (OSError, SigningFailed, ValueError):
            return False

    def detach(self) -> socket.socket | None:
        """Hand over the connection for other use; None if there is no agent."""
        connection, self._socket = self._socket, None
        return connection

    def keys(self) -> list[AgentKey]:
        """The agent's keys, in its order."""
        try:
            kind, body = self._ask(bytes([REQUEST_IDENTITIES]))
            return self._parse(body) if kind == IDENTITIES_ANSWER else []
        except (OSError, SigningFailed, ValueError):
            return []

    def sign(self, blob: bytes, data: bytes, flags: int) -> bytes:
        """A signature with the key of that blob. Raises SigningFailed."""
        request = bytes([SIGN_REQUEST]) + string(blob) + string(data) + uint32(flags)
        try:
            if self._socket is not None:
                self._socket.settimeout(SIGN_TIMEOUT)
            kind, body = self._ask(request)
            if kind != SIGN_RESPONSE:
                raise SigningFailed("the agent refused to sign")
            return BlobReader(body).string()
        except (OSError, ValueError) as error:
            raise SigningFailed(f"the agent did not sign: {error}") from error

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()

    def _parse(self, body: bytes) -> list[AgentKey]:
        fields, found = BlobReader(body), []
        for _ in range(fields.number()):
            blob, comment = fields.string(), fields.string()
            found.append(AgentKey(self, blob, blob, comment.decode(errors="replace")))
        return found

    def _ask(self, request: bytes) -> tuple[int, bytes]:
        if self._socket is None:
            raise SigningFailed("there is no agent")
        self._socket.sendall(string(request))
        size = int.from_bytes(self._receive(4), "big")
        if not 0 < size <= MESSAGE_LIMIT:
            raise ValueError("the agent's response is too large")
        answer = self._receive(size)
        return answer[0], answer[1:]

    def _receive(self, size: int) -> bytes:
        data = b""
        while self._socket is not None and len(data) < size:
            piece = self._socket.recv(size - len(data))
            if not piece:
                raise SigningFailed("the agent closed the connection")
            data += piece
        return data


class AgentKey(NamedTuple):
    """A key in the agent. `held` is its blob there, `blob` the one for the server, which may be a certificate for
    it."""

    agent: Agent
    held: bytes
    blob: bytes
    comment: str

    @property
    def label(self) -> str:
        return f"{self.comment or kind_of(self.held)} (agent)"

    @property
    def kind(self) -> str:
        return kind_of(self.blob)

    def certified(self, certificate: bytes) -> AgentKey:
        """The same key with a certificate that the agent does not have."""
        return self._replace(blob=certificate)

    def sign(self, data: bytes, algorithm: str) -> bytes:
        return self.agent.sign(self.held, data, SHA2_FLAGS.get(algorithm.removesuffix(CERTIFICATE), 0))


ADD_IDENTITY, ADD_CONSTRAINED = 17, 25
LIFETIME, CONFIRM = 1, 2


class AddPolicy(NamedTuple):
    """Whether and how keys are added to the agent."""

    wanted: bool = False
    asks: bool = False
    """Whether the user is asked first."""
    confirm: bool = False
    """Whether the agent must ask before each use."""
    lifetime: int = 0
    """Seconds until the agent removes the key; 0 for never."""


def add_policy(value: str) -> AddPolicy:
    """Parse the option as `ssh -G` prints it: `yes`, `ask`, `confirm`, `3600` or `confirm 3600`."""
    words = value.split(" ")
    lifetime = int(words[-1]) if words[-1].isascii() and words[-1].isdecimal() else 0
    confirm = words[0] == "confirm"
    return AddPolicy(bool(lifetime) or confirm or value in ("yes", "true", "ask"), value == "ask", confirm, lifetime)


def add_request(key: FileKey, how: AddPolicy) -> bytes:
    """The message that adds a private key, without its length (AddKeysToAgent)."""
    constraints = bytes([LIFETIME]) + uint32(how.lifetime) if how.lifetime else b""
    constraints += bytes([CONFIRM]) if how.confirm else b""
    kind = ADD_CONSTRAINED if constraints else ADD_IDENTITY
    return bytes([kind]) + _fields(key) + text(key.label) + constraints


def _fields(key: FileKey) -> bytes:
    private = key.private
    public = BlobReader(public_blob(private))
    kind = string(public.string())
    if isinstance(private, ed25519.Ed25519PrivateKey):
        raw = serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
        point = public.string()
        return kind + string(point) + string(private.private_bytes(*raw) + point)
    if isinstance(private, rsa.RSAPrivateKey):
        secret = private.private_numbers()
        numbers = (secret.public_numbers.n, secret.public_numbers.e, secret.d, secret.iqmp, secret.p, secret.q)
        return kind + b"".join(map(mpint, numbers))
    return kind + public.rest + mpint(private.private_numbers().private_value)
