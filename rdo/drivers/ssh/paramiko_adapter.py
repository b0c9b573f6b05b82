"""Everything that rdo uses of paramiko beyond its documented interface: key exchange, and packets with other ciphers
than AES-GCM. Only this module imports paramiko's transport and packets; every name it uses is listed in `NAMES`, which
a test checks against the installed version.

After the key exchange, messages are handled by rdo.drivers.ssh.transport.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from paramiko.common import MSG_KEXINIT, MSG_NEWKEYS
from paramiko.message import Message
from paramiko.packet import Packetizer
from paramiko.ssh_exception import SSHException
from paramiko.transport import Transport

from rdo.drivers.ssh import kex_offer
from rdo.drivers.ssh.algorithms import DELAYED_ZLIB, KEY_EXCHANGES, AlgorithmOffer
from rdo.drivers.ssh.certificate import SessionBinding, prove
from rdo.drivers.ssh.dial import CLIENT_VERSION
from rdo.drivers.ssh.fields import Violation
from rdo.drivers.ssh.kex_offer import NoCommonAlgorithm
from rdo.drivers.ssh.known_hosts import HostKey
from rdo.drivers.ssh.monitored_stream import MonitoredStream
from rdo.drivers.ssh.packet_content import AesGcm, Deflater, Inflater
from rdo.drivers.ssh.packet_receiver import PacketReceiver
from rdo.drivers.ssh.packet_sender import PacketSender

NEVER = 1 << 62
"""paramiko's own rekey can end a busy connection (paramiko#822). sshd starts rekeys, and those work."""

EXCHANGE_TIMEOUT = 30.0
"""Seconds for the server to finish a key exchange that it has begun, and for messages to wait meanwhile."""

KEX_INFO: dict[str, Any] = Transport._kex_info  # type: ignore[attr-defined]

KEX_ABLE = tuple(name for name in KEY_EXCHANGES if name in KEX_INFO or name == "curve25519-sha256")
"""Key exchanges that this installation supports: mlkem768x25519 needs a recent cryptography."""

NAMES = {
    "Transport": (
        "active", "authenticated", "clear_to_send", "clear_to_send_lock", "host_key_type", "initial_kex_done",
        "kex_engine", "local_version", "lock", "packetizer", "preferred_ciphers", "preferred_compression",
        "preferred_kex", "preferred_keys", "preferred_macs", "remote_version", "server_extensions", "session_id",
        "local_compression", "remote_compression", "H", "_compression_info", "_enforce_strict_kex",
        "_expected_packet", "_kex_info", "_negotiate_keys", "_parse_newkeys", "_preferred_ciphers",
        "_preferred_compression", "_preferred_kex", "_preferred_keys", "_preferred_macs", "_really_parse_kex_init",
        "_send_kex_init", "_send_message", "_verify_key",
    ),
    "Packetizer": (
        "REKEY_BYTES", "REKEY_BYTES_OVERFLOW_MAX", "REKEY_PACKETS", "REKEY_PACKETS_OVERFLOW_MAX", "close", "closed",
        "read_all", "read_message", "reset_seqno_in", "send_message", "set_inbound_cipher", "set_inbound_compressor",
        "set_outbound_cipher", "set_outbound_compressor", "write_all",
    ),
}  # fmt: skip
"""For each class of paramiko, what rdo calls, sets or overrides, apart from its constructor and members of threads."""


class PacketizerAdapter(Packetizer):
    """paramiko's Packetizer, with the work done by our own sender and receiver if the cipher is AES-GCM.

    paramiko's code for other ciphers calls `write_all` and `read_all` here. All methods are called by paramiko.
    """

    def __init__(self, stream: MonitoredStream) -> None:
        super().__init__(stream)  # type: ignore[arg-type]
        self.sender = PacketSender(stream, super().send_message)  # type: ignore[arg-type]
        self.receiver = PacketReceiver(stream, super().read_message)
        self.send_message = self.sender.send  # type: ignore[method-assign]
        self.write_all = self.sender.write_all  # type: ignore[method-assign,assignment]
        for name in ("REKEY_BYTES", "REKEY_PACKETS", "REKEY_BYTES_OVERFLOW_MAX", "REKEY_PACKETS_OVERFLOW_MAX"):
            setattr(self, name, NEVER)

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        return self.receiver.read_exactly(n)

    def set_outbound_cipher(self, **cipher: Any) -> None:  # type: ignore[override]
        super().set_outbound_cipher(**cipher)
        self.sender.cipher = _aes_gcm(cipher, cipher["iv_out"], self.sender.cipher)

    def set_inbound_cipher(self, **cipher: Any) -> None:  # type: ignore[override]
        super().set_inbound_cipher(**cipher)
        self.receiver.has_keys = True
        self.receiver.cipher = _aes_gcm(cipher, cipher["iv_in"], self.receiver.cipher)

    def set_outbound_compressor(self, compressor: Deflater) -> None:  # type: ignore[override]
        super().set_outbound_compressor(compressor)  # type: ignore[arg-type]
        self.sender.compressor = compressor

    def set_inbound_compressor(self, compressor: Inflater) -> None:  # type: ignore[override]
        super().set_inbound_compressor(compressor)  # type: ignore[arg-type]
        self.receiver.decompressor = compressor

    def reset_seqno_in(self) -> None:
        super().reset_seqno_in()
        self.receiver.sequence = 0

    def close(self) -> None:
        self.sender.is_closed = self.receiver.source.closed = True
        super().close()


def _aes_gcm(cipher: Mapping[str, Any], initial_vector: bytes | None, before: AesGcm | None) -> AesGcm | None:
    """The new cipher if it is AES-GCM, else None. Raises SSHException.

    paramiko's own count of packets, which other ciphers need, is not updated while packets are handled here.
    """
    if not cipher["aead"]:
        if before is not None:
            raise SSHException("the server changed to a different kind of cipher")
        return None
    return AesGcm(cipher["block_engine"], initial_vector or b"")


class KeyExchange(Transport):
    """paramiko's Transport without its loop, its channels and its logins. The subclass runs the thread."""

    _kex_info = MappingProxyType({**KEX_INFO, "curve25519-sha256": KEX_INFO["curve25519-sha256@libssh.org"]})
    _compression_info = MappingProxyType({DELAYED_ZLIB: (Deflater, Inflater), "none": (None, None)})
    local_compression: str
    remote_compression: str
    host_key_type: str
    H: bytes
    _preferred_keys: tuple[str, ...]
    _expected_packet: tuple[int, ...]
    active: bool
    packetizer: PacketizerAdapter
    kex_engine: Any
    clear_to_send: threading.Event
    clear_to_send_lock: threading.Lock
    _send_message: Callable[[Any], None]

    def __init__(self, stream: MonitoredStream, offer: AlgorithmOffer) -> None:
        """Our version was already sent over `stream`."""
        super().__init__(stream, packetizer_class=PacketizerAdapter)  # type: ignore[arg-type]
        self._preferred_keys = offer.host_keys
        self._preferred_kex = offer.key_exchanges
        self._preferred_ciphers = offer.ciphers
        self._preferred_macs = offer.macs
        self._preferred_compression = offer.compression
        self.shown: HostKey | None = None
        """The key or certificate that the server has proved to have."""
        self.binding: SessionBinding | None = None
        self.local_version = CLIENT_VERSION

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """The key types, without the host certificates that paramiko adds unasked."""
        return self._preferred_keys

    def _verify_key(self, host_key: bytes, signature: bytes) -> None:
        """Check the host key. paramiko defines this method, and calls it in each key exchange. Raises Violation."""
        try:
            shown = prove(self.host_key_type, host_key, signature, self.H)
        except ValueError as error:
            raise Violation(f"it did not prove that it has its host key: {error}") from error
        if self.shown not in (None, shown):
            raise Violation("it presented a different host key later")
        if self.shown is None:
            self.binding = SessionBinding(shown.blob, self.H, signature)
        self.shown = shown

    def begin_compression(self) -> None:
        """Begin the agreed compression, since the login is over. Called by the receiving thread."""
        if self.local_compression == DELAYED_ZLIB:
            self.packetizer.set_outbound_compressor(Deflater())
        if self.remote_compression == DELAYED_ZLIB:
            self.packetizer.set_inbound_compressor(Inflater())

    @property
    def is_exchanging(self) -> bool:
        """Whether keys are being exchanged, when only messages of the exchange may arrive."""
        return bool(self._expected_packet)

    def begin_exchange(self) -> None:
        """Send our offer, and wait for the server's messages."""
        self._send_kex_init()  # type: ignore[attr-defined]
        self._expected_packet = (MSG_KEXINIT,)

    def take_exchange(self, kind: int, message: Message) -> bool:
        """Handle a message if it belongs to a key exchange, and return whether it does.

        Raises Violation if another one is due, Incompatible, and whatever paramiko raises for a malformed message.
        """
        due, self._expected_packet = self._expected_packet, ()
        if due and kind not in due:
            raise Violation(f"it sent message {kind} during a key exchange")
        if kind == MSG_KEXINIT:
            self._begin(message)
        elif not due:
            return False
        elif kind == MSG_NEWKEYS:
            self._parse_newkeys(message)  # type: ignore[attr-defined]
            self.packetizer.receiver.source.deadline = None
        else:
            self.kex_engine.parse_next(kind, message)
        return True

    def check_order(self, kind: int) -> None:
        """Refuse a message that is normally allowed at any time, if strict key exchange was agreed on and the first is
        not over."""
        self._enforce_strict_kex(kind)  # type: ignore[attr-defined]

    def _really_parse_kex_init(self, message: Message, ignore_first_byte: bool = False) -> dict[str, Any]:
        """paramiko defines this method, and calls it. It demands that a MAC is agreed on, even if the cipher needs
        none."""
        offer: dict[str, Any] = super()._really_parse_kex_init(message, ignore_first_byte)  # type: ignore[misc]
        for end in ("client", "server"):
            if not kex_offer.needs_mac(offer[f"{end}_encrypt_algo_list"], self.preferred_ciphers):
                offer[f"{end}_mac_algo_list"] = list(self.preferred_macs)
        return offer

    def _begin(self, message: Message) -> None:
        ours = {
            "key exchange methods": self.preferred_kex,
            "host key algorithms": self.preferred_keys,
            "ciphers": self.preferred_ciphers,
            "MACs": self.preferred_macs,
            "compression methods": self.preferred_compression,
        }
        lacking = kex_offer.mismatch(kex_offer.parse(message.asbytes()), ours)
        if lacking is not None:
            raise NoCommonAlgorithm(lacking, lacking.hint(ours[lacking.kind]))
        if self.initial_kex_done:
            self.packetizer.receiver.source.deadline = time.monotonic() + EXCHANGE_TIMEOUT
        self._negotiate_keys(message)  # type: ignore[attr-defined]


def silence() -> None:
    """Keep paramiko's log out of the process's stderr: rdo reports errors itself."""
    log = logging.getLogger("paramiko")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    log.setLevel(logging.CRITICAL + 1)
