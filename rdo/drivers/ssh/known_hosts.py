"""known_hosts files, as in sshd(8): their lines, which of them apply to a host, and adding a new one.

Parsing and look-up are pure; two functions at the end touch files. Whether a host is trusted is decided elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import os
import re
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from rdo.drivers.ssh.fields import kind_of
from rdo.errors import ConnectError, reason
from rdo.fscodec import fsencode
from rdo.util import foreign_file, private_directory
from rdo.util.lines import split_lines, split_words

KNOWN_HOSTS_LIMIT = 64 * 1024 * 1024
"""Bytes of a known_hosts file: half a million keys."""

AUTHORITY = "@cert-authority"
MARKERS = ("@revoked", AUTHORITY)
HASHED = re.compile(r"\|1\|([A-Za-z0-9+/=]+)\|([A-Za-z0-9+/=]+)")


class HostKey(NamedTuple):
    """A server's public key: its type, such as `ssh-ed25519`, and the key in the wire format."""

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """The fingerprint as `ssh-keygen -l` prints it."""
        return self.fingerprint_by("SHA256")

    def fingerprint_by(self, algorithm: str) -> str:
        """The fingerprint as `ssh-keygen -l -E` prints it, which has a different format for MD5."""
        digest = hashlib.new(algorithm, self.blob, usedforsecurity=False).digest()
        text = digest.hex(":") if algorithm == "MD5" else base64.b64encode(digest).decode().rstrip("=")
        return f"{algorithm}:{text}"

    @property
    def family(self) -> str:
        """The type for people: ED25519, ECDSA, RSA."""
        return self.kind.removeprefix("ssh-").partition("-")[0].upper()


class HostKeyEntry(NamedTuple):
    """A line of a known_hosts file that contains a key."""

    path: str
    line: int
    marker: str
    patterns: str
    key: HostKey

    def is_about(self, name: str) -> bool:
        """Whether the line is about the host of this name: `host`, or `[host]:port` if the port is not 22."""
        return _matches(self.patterns, name.lower())


class HostKeyStatus(Enum):
    """The status of a host's key according to known_hosts files."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"


class HostKeyVerdict(NamedTuple):
    """A status, and the line that it is based on, if there is one."""

    status: HostKeyStatus
    entry: HostKeyEntry | None = None


def parse(path: str, text: str) -> list[HostKeyEntry]:
    """The entries of a file. Comments, empty lines and unintelligible lines are ignored, as by ssh."""
    numbered = enumerate(split_lines(text), 1)
    return [entry for number, line in numbered if (entry := _entry(path, number, line)) is not None]


def judge(
    entries: Iterable[HostKeyEntry], names: Sequence[str], key: HostKey, supported: Sequence[str]
) -> HostKeyVerdict:
    """The status of a host's key according to the entries. Pure.

    The first of `names` is the host's own. Other names can only make the key known, never changed: ssh looks for a host
    on another port under its plain name, too. A line about a key of another type counts as a change, since otherwise
    offering another type would circumvent the check; unless rdo does not support that type at all.
    """
    about = [entry for entry in entries if any(map(entry.is_about, names))]
    revoked = _first(entry for entry in about if entry.marker == "@revoked" and entry.key.blob == key.blob)
    if revoked is not None:
        return HostKeyVerdict(HostKeyStatus.REVOKED, revoked)
    plain = [entry for entry in about if not entry.marker]
    same = _first(entry for entry in plain if entry.key.blob == key.blob)
    if same is not None:
        return HostKeyVerdict(HostKeyStatus.KNOWN, same)
    other = [entry for entry in plain if entry.key.kind in supported and entry.is_about(names[0])]
    other.sort(key=lambda entry: entry.key.kind != key.kind)
    return HostKeyVerdict(HostKeyStatus.CHANGED, other[0]) if other else HostKeyVerdict(HostKeyStatus.UNKNOWN)


def judge_certificate(
    entries: Iterable[HostKeyEntry], names: Sequence[str], public: HostKey, authority: bytes
) -> HostKeyVerdict:
    """The status of a certificate according to the entries: of the public key in it, and of the key that signed it.
    Pure.

    It is known if an authority for the host has signed it. Only a line that revokes either key speaks against it.
    """
    about = [entry for entry in entries if any(map(entry.is_about, names))]
    revoked = _first(e for e in about if e.marker == "@revoked" and e.key.blob in (public.blob, authority))
    if revoked is not None:
        return HostKeyVerdict(HostKeyStatus.REVOKED, revoked)
    known = _first(entry for entry in about if entry.marker == AUTHORITY and entry.key.blob == authority)
    return HostKeyVerdict(HostKeyStatus.KNOWN, known) if known else HostKeyVerdict(HostKeyStatus.UNKNOWN)


def has_authority(entries: Iterable[HostKeyEntry], names: Sequence[str]) -> bool:
    """Whether there is an authority that signs certificates of this host."""
    return any(entry.marker == AUTHORITY and any(map(entry.is_about, names)) for entry in entries)


def known_kinds(entries: Iterable[HostKeyEntry], names: Sequence[str]) -> list[str]:
    """The types of the host's known keys, each once, in the order of the files."""
    kinds = (entry.key.kind for entry in entries if not entry.marker and any(map(entry.is_about, names)))
    return list(dict.fromkeys(kinds))


def format_line(name: str, key: HostKey, salt: bytes | None) -> str:
    """The line for a key, without its newline. The name is hashed with `salt` (20 bytes) if given."""
    if salt is not None:
        digest = hmac.new(salt, name.lower().encode(), hashlib.sha1).digest()
        name = f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"
    return f"{name} {key.kind} {base64.b64encode(key.blob).decode()}"


def load(paths: Iterable[str]) -> list[HostKeyEntry]:
    """The entries of all files that can be read; the others count as empty, as with ssh. Raises ConnectError."""
    found: list[HostKeyEntry] = []
    for path in paths:
        try:
            found.extend(parse(path, foreign_file.read_text(path, KNOWN_HOSTS_LIMIT)))
        except foreign_file.FileTooLarge as error:  # ignoring it would mean trusting what it revokes
            raise ConnectError(f"cannot read the known hosts in `{path}`", reason(error), "remove old lines") from None
        except OSError:
            continue
    return found


def append(path: str, line: str) -> None:
    """Add a line to a file. A new file is private to its owner, as is its directory. Raises OSError."""
    directory = os.path.dirname(path)
    if directory:
        private_directory.make(directory)
        private_directory.check(path)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        broken = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        _write(descriptor, (b"\n" if broken else b"") + fsencode(line) + b"\n", size)
    finally:
        os.close(descriptor)


def _write(descriptor: int, data: bytes, size: int) -> None:
    """Write all of the data, or truncate the file to `size` bytes: on a full disk, half a key would be another key."""
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _entry(path: str, number: int, text: str) -> HostKeyEntry | None:
    words = split_words(text)
    marker = words.pop(0) if words and words[0] in MARKERS else ""
    if len(words) < 3 or words[0].startswith(("#", "@")) or (marker == AUTHORITY and _has_tab_after(marker, text)):
        return None
    patterns, kind, encoded = words[:3]
    try:
        blob = base64.b64decode(encoded.rstrip("\r"), validate=True)  # ssh ignores it, too
        if kind_of(blob) != kind:
            return None
    except (binascii.Error, ValueError):
        return None
    return HostKeyEntry(path, number, marker, patterns, HostKey(kind, blob))


def _has_tab_after(marker: str, text: str) -> bool:
    """Whether a tab ends the marker while a space follows elsewhere: ssh looks for the space first, and finds no known
    marker. Such a line adds no trust; a key that it revokes counts as revoked nevertheless."""
    return " " in text and text.partition(marker)[2].startswith("\t")


def _matches(patterns: str, name: str) -> bool:
    if patterns.startswith("|"):
        return _matches_hash(patterns, name)
    found = False
    for pattern in patterns.lower().replace("[", "[[]").split(","):  # brackets are not special here
        negated = pattern.startswith("!")
        if fnmatch.fnmatchcase(name, pattern.removeprefix("!")):
            if negated:
                return False
            found = True
    return found


def _matches_hash(pattern: str, name: str) -> bool:
    parts = HASHED.fullmatch(pattern)
    if parts is None:
        return False
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in parts.groups())
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(digest, hmac.new(salt, fsencode(name), hashlib.sha1).digest())


def _first(entries: Iterable[HostKeyEntry]) -> HostKeyEntry | None:
    return next(iter(entries), None)
