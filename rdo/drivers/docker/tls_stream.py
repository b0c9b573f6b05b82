"""TLS to the engine: the certificates, and the stream."""

from __future__ import annotations

import contextlib
import os
import select
import ssl
import threading
from collections.abc import Callable
from typing import TypeVar

from rdo.drivers.base import READ_SIZE
from rdo.drivers.docker.endpoint import FILE_LIMIT, TlsFiles
from rdo.drivers.docker.stream import EngineStream
from rdo.errors import ConfigError, reason
from rdo.util import foreign_file

T = TypeVar("T")

TLS_ADVICE = "see DOCKER_CERT_PATH and DOCKER_TLS_VERIFY"

TLS_WRITE_SIZE = 64 * 1024
"""Bytes to encrypt at a time, so that reading gets its turn."""

LITTLE = 16 * 1024
"""Most bytes in one TLS record."""


def tls_context(tls: TlsFiles) -> ssl.SSLContext:
    """Raises ConfigError that names the file: as with `docker`, a missing file has no substitute."""
    ca, cert, key = (os.path.join(tls.directory, name) for name in ("ca.pem", "cert.pem", "key.pem"))
    has_ca = tls.needs_ca or os.path.lexists(ca)
    has_pair = os.path.lexists(cert) or os.path.lexists(key)
    for path in [ca] * has_ca + [cert, key] * has_pair:
        _check_readable(path)
    context = _loaded(ca, lambda: ssl.create_default_context(cafile=ca if has_ca else None))
    if has_pair:
        _loaded(cert, lambda: context.load_cert_chain(cert, key, password=_no_password))
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _check_readable(path: str) -> None:
    try:
        foreign_file.read(path, FILE_LIMIT)
    except OSError as error:
        raise ConfigError(f"cannot read `{path}` for TLS", reason(error), TLS_ADVICE) from None


def _no_password() -> str:
    """For an encrypted key, about which OpenSSL would ask on the terminal that the master was started from."""
    raise ValueError("the key is encrypted")


def _loaded(path: str, load: Callable[[], T]) -> T:
    try:
        return load()
    except (OSError, ValueError) as error:
        what = f"cannot use the certificates in `{os.path.dirname(path)}`"
        raise ConfigError(what, reason(error), TLS_ADVICE) from None


class TlsStream:
    """TLS over another stream. ssl's own socket cannot be used by two threads at a time, nor end only one direction."""

    def __init__(self, below: EngineStream, context: ssl.SSLContext, host: str, timeout: float) -> None:
        """Perform the handshake. Raises OSError, of which ssl.SSLError is a subclass, and TimeoutError."""
        self._below = below
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._state = threading.Lock()
        """Guards `_tls` and its buffers, `_decoded` and `_ended`. Never held while waiting."""
        self._sending = threading.Lock()
        """Keeps the records in order; taken before `_state`."""
        self._decoded = b""
        self._ended = False
        while not self._shaken():
            self._below.send(self._outgoing.read())
            self._feed(self._below.receive(timeout))
        self._below.send(self._outgoing.read())

    def _shaken(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def receive(self, timeout: float | None = None) -> bytes:
        """See EngineStream."""
        while not (data := self._take()) and not self._ended:
            self._feed(self._below.receive(timeout))
        return data

    def _feed(self, data: bytes) -> None:
        with self._state:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def _take(self) -> bytes:
        with self._state:
            data, self._decoded = self._decoded + self._decrypt(), b""
            return data

    def _decrypt(self) -> bytes:
        pieces = []
        try:
            while data := self._tls.read(READ_SIZE):
                pieces.append(data)
            self._ended = True
        except ssl.SSLWantReadError:
            pass
        except OSError:
            self._ended = True
        return b"".join(pieces)

    def send(self, data: bytes) -> None:
        """See EngineStream."""
        view = memoryview(data)
        with self._sending:
            for start in range(0, len(view), TLS_WRITE_SIZE):
                with self._state:
                    self._tls.write(view[start : start + TLS_WRITE_SIZE])
                    records = self._outgoing.read()
                self._below.send(records)

    def send_now(self, data: memoryview) -> int:
        """See EngineStream. A small record fits if there is any room; what has been encrypted must be sent."""
        room = select.poll()
        room.register(self.fileno(), select.POLLOUT)
        if not room.poll(0):
            return 0
        size = min(len(data), LITTLE)
        self.send(bytes(data[:size]))
        return size

    def fileno(self) -> int:
        """See EngineStream."""
        return self._below.fileno()

    def end_output(self) -> None:
        """See EngineStream. The alert close_notify ends only one direction (RFC 8446, 6.1), as Go's servers know."""
        with self._sending:
            with self._state:
                self._decoded += self._decrypt()  # unwrap would treat it as an error
                with contextlib.suppress(ssl.SSLError):
                    self._tls.unwrap()
                records = self._outgoing.read()
            self._below.send(records)

    def close(self) -> None:
        """See EngineStream."""
        self._below.close()
