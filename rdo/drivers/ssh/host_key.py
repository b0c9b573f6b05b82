"""Whether a server is the one it should be: checks the key it showed against known_hosts, and asks the user about new
ones."""

from __future__ import annotations

import ipaddress
import os
import shlex
import time

from rdo.drivers.caller import Caller
from rdo.drivers.ssh import revocation, user_commands
from rdo.drivers.ssh.algorithms import CERTIFICATE, HOST_KEYS, LEGACY_RSA, SIGNATURES, chosen
from rdo.drivers.ssh.certificate import Certificate, parse
from rdo.drivers.ssh.fields import kind_of, rsa_bits
from rdo.drivers.ssh.known_hosts import (
    HostKey,
    HostKeyEntry,
    HostKeyStatus,
    HostKeyVerdict,
    append,
    format_line,
    has_authority,
    judge,
    judge_certificate,
    known_kinds,
    load,
)
from rdo.drivers.ssh.options import SshOptions
from rdo.errors import ConnectError, reason

ALGORITHMS = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256", LEGACY_RSA),
}
"""The signature algorithms for each type of host key that rdo can check."""

QUESTION_LIMIT = 3
"""How often the question is repeated after an answer that is neither yes nor no nor the fingerprint."""


class HostKeyCheck:
    """The check for one connection. Reads the files once, when the connection is made."""

    def __init__(self, options: SshOptions, caller: Caller, address: str = "") -> None:
        """`address` is the server's, if it is known. Raises ConnectError."""
        self._options = options
        self._caller = caller
        self._address = address
        self._entries = load((*options.known_hosts, *options.global_known_hosts))
        plain = [] if options.host_key_alias or options.port == 22 else [options.hostname]
        self._names = [options.known_as, *plain]

    def offer(self) -> tuple[str, ...]:
        """The algorithms for the server's key, with those of its known keys first, so that it shows one of these.

        Raises ConnectError if the user allows none that rdo supports.
        """
        allowed = chosen("HostKeyAlgorithms", self._options.algorithms.host_keys, HOST_KEYS, (LEGACY_RSA,))
        known = [*self._entries, *self._commanded("ORDER", None, self._options.hostname)]
        kinds = known_kinds(known, self._names)
        first = [name for kind in kinds for name in ALGORITHMS.get(kind, ()) if name in allowed]
        if has_authority(known, self._names):
            first = [*(name for name in allowed if name.endswith(CERTIFICATE)), *first]
        plain = [name for name in allowed if not name.endswith(CERTIFICATE)]
        # the key in a certificate that is not accepted is checked like any other
        return tuple(dict.fromkeys([*first, *plain])) or allowed

    def check(self, shown: HostKey) -> None:
        """Return if the key or the certificate is trusted; a new key is recorded. Raises ConnectError."""
        certificate = self._certificate(shown)
        key = HostKey(kind_of(certificate.public), certificate.public) if certificate else shown
        self._check_size(key)
        revocation.check(self._options.revoked_host_keys, self._names[0], key, certificate)
        if self._options.trusts_localhost and _is_local(self._address) and not self._options.host_key_alias:
            self._caller.trace(f"host key of {self._names[0]}: not checked, NoHostAuthenticationForLocalhost is on")
            return
        self._entries += self._commanded("HOSTNAME", shown, self._names[0])
        if certificate is None or not self._is_certified(key, certificate):
            self._check_plain(key)

    def _commanded(self, invocation: str, key: HostKey | None, name: str) -> list[HostKeyEntry]:
        return user_commands.known_hosts_entries(self._options, self._caller.environment, invocation, name, key)

    def _certificate(self, shown: HostKey) -> Certificate | None:
        if not shown.kind.endswith(CERTIFICATE):
            return None
        try:
            return parse(shown.blob)
        except ValueError as error:
            what = f"the host certificate of `{self._names[0]}` is not valid"
            raise ConnectError(what, str(error), "ask its owner to renew it") from error

    def _is_certified(self, key: HostKey, certificate: Certificate) -> bool:
        """Whether a trusted authority has signed the key. If the certificate is not accepted, the key itself is
        checked."""
        verdict = judge_certificate(self._entries, self._names, key, certificate.authority)
        authority = HostKey(kind_of(certificate.authority), certificate.authority)
        said = f"{key.family} certificate, signed by {self._print(authority)}, {verdict.status.value}"
        self._caller.trace(f"host key of {self._names[0]}: {said}")
        if verdict.status is HostKeyStatus.REVOKED:
            raise self._revoked(key, verdict)
        if verdict.status is not HostKeyStatus.KNOWN:
            return False
        name = self._options.host_key_alias or self._options.hostname
        allowed = self._options.algorithms.ca_signatures
        fault = certificate.fault(name, time.time(), SIGNATURES if allowed is None else allowed)
        if fault:
            self._caller.report(f"rdo: ignoring the host certificate of `{self._names[0]}`: {fault}")
        return not fault

    def _check_size(self, key: HostKey) -> None:
        bits = rsa_bits(key.blob)
        least = self._options.algorithms.rsa_bits
        if bits is not None and bits < least:
            what = f"the host key of `{self._names[0]}` is too short"
            raise ConnectError(
                what, f"RSA with {bits} bits, and RequiredRSASize is {least}", "ask its owner to replace it"
            )

    def _check_plain(self, key: HostKey) -> None:
        verdict = judge(self._entries, self._names, key, self._supported())
        self._caller.trace(f"host key of {self._names[0]}: {key.family} {self._print(key)}, {verdict.status.value}")
        if verdict.status is HostKeyStatus.REVOKED:
            raise self._revoked(key, verdict)
        if verdict.status is HostKeyStatus.CHANGED:
            raise self._changed(key, verdict)
        self._check_address(key)
        if verdict.status is HostKeyStatus.UNKNOWN:
            self._accept(key)

    def _check_address(self, key: HostKey) -> None:
        """CheckHostIP: warn of a key of another host that was at this address."""
        if not self._checks_address:
            return
        entries = self._entries + self._commanded("ADDRESS", key, self._address_name)
        verdict = judge(entries, [self._address_name], key, self._supported())
        if verdict.status is not HostKeyStatus.CHANGED or verdict.entry is None:
            return
        what = f"the host key of `{self._names[0]}` differs from the key for its address `{self._address_name}`"
        if self._options.strict_host_key_checking == "no":
            self._caller.report(f"rdo: {what}: {_place(verdict.entry)}")
            return
        hint = f"if that is right, type `ssh-keygen -R {shlex.quote(self._address_name)}`"
        raise ConnectError(what, f"{_place(verdict.entry)} (CheckHostIP)", hint)

    @property
    def _checks_address(self) -> bool:
        options = self._options
        named = options.host_key_alias or options.hostname == self._address
        return bool(options.check_host_ip and self._address and not named and not _is_local(self._address))

    @property
    def _address_name(self) -> str:
        return self._address if self._options.port == 22 else f"[{self._address}]:{self._options.port}"

    def _supported(self) -> list[str]:
        """The types of key that could have been shown."""
        allowed = HOST_KEYS if self._options.algorithms.host_keys is None else self._options.algorithms.host_keys
        return [kind for kind, algorithms in ALGORITHMS.items() if not set(allowed).isdisjoint(algorithms)]

    def _print(self, key: HostKey) -> str:
        return key.fingerprint_by(self._options.fingerprint_hash)

    def _revoked(self, key: HostKey, verdict: HostKeyVerdict) -> ConnectError:
        return ConnectError(
            f"the host key of `{self._names[0]}` is revoked",
            f"{key.family} key {self._print(key)}, {_place(verdict.entry)}",
            "do not connect until its owner has explained this",
        )

    def _changed(self, key: HostKey, verdict: HostKeyVerdict) -> ConnectError:
        entry = verdict.entry
        known = f"{entry.key.family} {self._print(entry.key)} ({_place(entry)})" if entry else "another one"
        path = entry.path if entry else "~/.ssh/known_hosts"
        return ConnectError(
            f"the host key of `{self._names[0]}` has changed",
            f"it is {key.family} {self._print(key)}, known_hosts has {known}; possible man-in-the-middle",
            f"if the change is expected, type `ssh-keygen -f {shlex.quote(path)} -R {shlex.quote(self._names[0])}`",
        )

    def _accept(self, key: HostKey) -> None:
        policy = self._options.strict_host_key_checking
        if policy == "yes":
            raise self._unknown(key, "StrictHostKeyChecking is on", "verify it, and add it to known_hosts")
        if policy == "ask":
            self._ask(key)
        self._record(key)

    def _ask(self, key: HostKey) -> None:
        question = (
            f"The authenticity of host '{self._names[0]}' can't be established.\n"
            f"{key.family} key fingerprint is {self._print(key)}.\n"
            "Are you sure you want to continue connecting (yes/no/[fingerprint])? "
        )
        for _ in range(QUESTION_LIMIT):
            answer = self._caller.ask(question, echo=True)
            if answer is None:
                raise self._unknown(key, "there is no terminal to ask on", "run this once in a terminal, and verify it")
            if answer.strip().lower() == "yes" or answer.strip() == self._print(key):
                return
            if answer.strip().lower() == "no":
                break
            question = "Please type 'yes', 'no' or the fingerprint: "
        raise self._unknown(key, "not accepted", "")

    def _unknown(self, key: HostKey, why: str, hint: str) -> ConnectError:
        return ConnectError(
            f"the host key of `{self._names[0]}` is not known", f"{key.family} {self._print(key)}, {why}", hint
        )

    def _record(self, key: HostKey) -> None:
        if not self._options.known_hosts or self._options.known_hosts[0] == "/dev/null":
            return
        path = self._options.known_hosts[0]
        names = [self._names[0], *([self._address_name] if self._checks_address else [])]
        try:
            for name in names:
                append(path, format_line(name, key, os.urandom(20) if self._options.hash_known_hosts else None))
        except OSError as error:
            self._caller.report(f"rdo: could not add the host key to {path}: {reason(error)}")
            return
        notice = self._options.new_key_notice
        if notice is None:
            notice = f"permanently added '{self._names[0]}' ({key.family}) to the list of known hosts"
        if notice and not self._options.quiet:
            self._caller.report(f"rdo: {notice}")


def _place(entry: HostKeyEntry | None) -> str:
    return f"{entry.path}:{entry.line}" if entry else ""


def _is_local(address: str) -> bool:
    return bool(address) and ipaddress.ip_address(address.partition("%")[0]).is_loopback
