"""Logging in with keys: which ones, from the agent or from files, in which order, and when to ask for a passphrase."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rdo.drivers.caller import Caller
from rdo.drivers.ssh.auth.agent import Agent, AgentKey, add_policy, add_request
from rdo.drivers.ssh.auth.login_messages import AuthOutcome
from rdo.drivers.ssh.auth.private_key import (
    FileKey,
    KeyUnusable,
    PassphraseNeeded,
    SigningFailed,
    SigningKey,
    belongs,
    load,
    public_file,
    public_line,
    public_part,
    read,
)
from rdo.drivers.ssh.auth.userauth import UserAuth
from rdo.drivers.ssh.fields import kind_of, rsa_bits
from rdo.drivers.ssh.options import DEFAULT_KEYS, SshOptions

PASSPHRASE_ATTEMPTS = 3
"""The same as with ssh(1)."""


class KeyIdentity(NamedTuple):
    """A key file. `public` is None if it cannot be known without the passphrase; it may be a certificate."""

    path: str
    content: bytes
    public: bytes | None
    fault: str = ""
    """Why the private key cannot be read from the file, so that only the agent may have it."""


class KeyOffer(NamedTuple):
    """A public key, offered to find out whether the server accepts it before anyone is asked for its passphrase."""

    label: str
    blob: bytes

    @property
    def kind(self) -> str:
        return kind_of(self.blob)

    def sign(self, data: bytes, algorithm: str) -> bytes:
        raise SigningFailed("there is no private key")


class KeyLogin:
    """All keys that can be tried, each at most once per login."""

    def __init__(self, auth: UserAuth, options: SshOptions, caller: Caller, agent: Agent) -> None:
        self._auth = auth
        self._options = options
        self._caller = caller
        self._agent = agent
        self._used: set[bytes] = set()
        self.notes: list[str] = []
        """Problems on this side, for the message if no key was accepted."""
        self.locked = ""
        """A key that the server accepts, but whose passphrase nobody gave."""

    def attempts(self) -> Iterator[AuthOutcome]:
        """The server's answers, one by one. Keys that it has answered already are skipped."""
        for key in self._ordered(list(self._identities()), self._agent.keys()):
            yield from self._by_agent(key) if isinstance(key, AgentKey) else self._by_file(key)

    def _ordered(self, identities: list[KeyIdentity], held: list[AgentKey]) -> list[KeyIdentity | AgentKey]:
        """The key that rdo's configuration names, then in the order of ssh(1): named keys in the agent, its other keys,
        files."""
        by_blob = {key.blob: key for key in held}

        def best(identity: KeyIdentity) -> KeyIdentity | AgentKey:
            public = identity.public or b""
            if public in by_blob:
                return by_blob[public]
            signer = next((key for key in held if belongs(public, key.blob)), None)
            return signer.certified(public) if signer else identity

        given = [best(identity) for identity in identities if identity.path == self._options.identity]
        named = [best(identity) for identity in identities if identity.path != self._options.identity]
        agents: list[KeyIdentity | AgentKey] = [key for key in named if isinstance(key, AgentKey)]
        files = [key for key in named if isinstance(key, KeyIdentity)]
        if self._options.identities_only:
            others = [key for key in held if any(belongs(key.blob, identity.public or b"") for identity in identities)]
        else:
            others = held
        return [*given, *agents, *others, *files]

    def _identities(self) -> Iterator[KeyIdentity]:
        for path in dict.fromkeys(self._options.identity_files):
            if os.path.exists(path):
                yield from self._identity(path)
            elif (public := public_file(f"{path}.pub")) is not None:
                yield KeyIdentity(
                    path, b"", public, "there is no such file, and the agent does not have the key either"
                )
            elif path == self._options.identity or os.path.basename(path) not in DEFAULT_KEYS:
                self._skip(path, "there is no such file")

    def _identity(self, path: str) -> Iterator[KeyIdentity]:
        try:
            content, fault = read(path)
        except KeyUnusable as error:
            self._skip(path, str(error))
            return
        public = public_line(content)
        if public is not None:
            yield KeyIdentity(path, b"", public, "it is a public key, and the agent does not have its private half")
        else:
            yield KeyIdentity(path, content, self._public(path, content), fault)

    def _public(self, path: str, content: bytes) -> bytes | None:
        found = public_part(path, content)
        if found is None:
            try:
                return load(path, content, None).blob
            except (KeyUnusable, PassphraseNeeded):
                return None
        return found

    def _by_agent(self, key: AgentKey) -> Iterator[AuthOutcome]:
        certified = (key.certified(blob) for blob in self._certificates("", key.held))
        for offer in self._untried((*certified, key)):
            refusal = self._auth.probe(offer)
            if refusal is None:
                yield from self._signed(offer)
            else:
                yield refusal

    def _untried(self, keys: Iterable[SigningKey]) -> Iterator[SigningKey]:
        """The keys to try now, each once. If one cannot be used, a note says why."""
        for key in keys:
            if key.blob in self._used:
                continue
            if obstacle := self._obstacle(key):
                self.notes.append(f"{key.label}: {obstacle}")
                continue
            self._used.add(key.blob)
            yield key

    def _obstacle(self, key: SigningKey) -> str:
        """Why the user's configuration does not allow the key, or the server cannot accept it; else empty."""
        bits = rsa_bits(key.blob) if key.kind == "ssh-rsa" else None
        if bits is not None and bits < self._options.algorithms.rsa_bits:
            return f"{bits} bits, and RequiredRSASize is {self._options.algorithms.rsa_bits}"
        if self._auth.algorithm(key) is None:
            return "PubkeyAcceptedAlgorithms has no algorithm for it that the server supports"
        return ""

    def _by_file(self, identity: KeyIdentity) -> Iterator[AuthOutcome]:
        if identity.fault:
            self._skip(identity.path, identity.fault)
            return
        try:
            private = load(identity.path, identity.content, None)
        except KeyUnusable as error:
            self._skip(identity.path, str(error))
        except PassphraseNeeded:
            yield from self._by_locked_file(identity)
        else:
            yield from self._by_private(private)

    def _by_private(self, private: FileKey) -> Iterator[AuthOutcome]:
        certificates = self._certificates(private.label, private.blob)
        for key in self._untried((*(private.certified(blob) for blob in certificates), private)):
            yield from self._signed(key)

    def _by_locked_file(self, identity: KeyIdentity) -> Iterator[AuthOutcome]:
        """Ask for the passphrase only if the server accepts the key, as far as that can be known."""
        if identity.public is not None:
            blobs = [*self._certificates(identity.path, identity.public), identity.public]
            for offer in self._untried(KeyOffer(identity.path, blob) for blob in blobs):
                refusal = self._auth.probe(offer)
                if refusal is None:
                    yield from self._unlocked(identity, offer.blob)
                    return
                yield refusal
        else:
            yield from self._unlocked(identity, None)

    def _unlocked(self, identity: KeyIdentity, blob: bytes | None) -> Iterator[AuthOutcome]:
        private = self._unlock(identity)
        if private is None:
            return
        if blob is None:
            yield from self._by_private(private)
        else:
            yield from self._signed(private if blob == private.blob else private.certified(blob))

    def _unlock(self, identity: KeyIdentity) -> FileKey | None:
        for _ in range(PASSPHRASE_ATTEMPTS):
            answer = self._caller.ask(f"Enter passphrase for key '{identity.path}': ", echo=False)
            if not answer:
                break
            try:
                return load(identity.path, identity.content, answer)
            except PassphraseNeeded:
                continue
            except KeyUnusable as error:
                self._skip(identity.path, str(error))
                return None
        self.locked = identity.path
        self.notes.append(f"the key `{identity.path}` needs its passphrase")
        return None

    def _signed(self, key: SigningKey) -> Iterator[AuthOutcome]:
        try:
            outcome = self._auth.publickey(key)
        except SigningFailed as error:
            self.notes.append(f"{key.label}: {error}")
        else:
            if outcome.success or outcome.partial:
                self._add(key)
            yield outcome

    def _add(self, key: SigningKey) -> None:
        """Add a key that was accepted to the agent, if the user's configuration says so."""
        how = add_policy(self._options.add_keys_to_agent)
        if not (how.wanted and self._options.identity_agent and isinstance(key, FileKey)):
            return
        if how.asks and self._caller.ask(f"Add key {key.label} to agent? (yes/no) ", echo=True) != "yes":
            return
        added = self._agent.add(add_request(key, how))
        self._caller.trace(f"the agent {'has got' if added else 'did not take'} the key {key.label}")

    def _certificates(self, path: str, public: bytes) -> Sequence[bytes]:
        paths = [path] if path else self._options.identity_files
        beside = [f"{name}{end}" for name in paths for end in ("-cert.pub", ".pub")]
        names = [*beside, *self._options.certificate_files]
        found = (public_file(name) for name in names)
        return [blob for blob in found if blob is not None and blob != public and belongs(blob, public)]

    def _skip(self, path: str, why: str) -> None:
        self._caller.report(f"rdo: the key `{path}` is not used: {why}")
        self.notes.append(f"the key `{path}`: {why}")
