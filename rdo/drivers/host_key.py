"""Whether a server is the one it should be: known_hosts against the key it showed, and the user's word on new ones."""

from __future__ import annotations

import os
import shlex

from rdo.drivers.base import Caller
from rdo.drivers.known_hosts import (
    Entry,
    HostKey,
    Standing,
    Verdict,
    append,
    format_line,
    judge,
    known_kinds,
    load,
)
from rdo.drivers.openssh import Options
from rdo.errors import ConnectError

ALGORITHMS = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}
"""The signature algorithms that go with each type of host key that we can check."""

QUESTIONS = 3
"""How often a word that is neither yes nor no nor the fingerprint is asked for again."""


class HostKeyCheck:
    """The check for one connection: reads the files once, when the connection is made."""

    def __init__(self, options: Options, caller: Caller) -> None:
        self._options = options
        self._caller = caller
        self._entries = load((*options.known_hosts, *options.global_known_hosts))
        plain = [] if options.host_key_alias or options.port == 22 else [options.hostname]
        self._names = [options.known_as, *plain]

    def wanted(self) -> tuple[str, ...]:
        """The algorithms to ask the server for first: those of its known keys, so that it shows one of these."""
        kinds = known_kinds(self._entries, self._names)
        return tuple(name for kind in kinds for name in ALGORITHMS.get(kind, ()))

    def check(self, key: HostKey) -> None:
        """Return when the key is trusted; a new one is recorded. Raises ConnectError."""
        verdict = judge(self._entries, self._names, key, list(ALGORITHMS))
        self._caller.trace(f"host key of {self._names[0]}: {key.family} {key.fingerprint}, {verdict.standing.value}")
        if verdict.standing is Standing.REVOKED:
            raise ConnectError(
                f"the host key of `{self._names[0]}` is revoked",
                f"{key.family} key {key.fingerprint}, {_place(verdict.entry)}",
                "do not connect before its owner has explained this",
            )
        if verdict.standing is Standing.CHANGED:
            raise self._changed(key, verdict)
        if verdict.standing is Standing.UNKNOWN:
            self._accept(key)

    def _changed(self, key: HostKey, verdict: Verdict) -> ConnectError:
        entry = verdict.entry
        known = f"{entry.key.family} {entry.key.fingerprint} ({_place(entry)})" if entry else "another one"
        path = entry.path if entry else "~/.ssh/known_hosts"
        return ConnectError(
            f"the host key of `{self._names[0]}` has changed",
            f"it is {key.family} {key.fingerprint}, known is {known}; someone may be listening in",
            f"if the change is expected, type `ssh-keygen -f {shlex.quote(path)} -R {shlex.quote(self._names[0])}`",
        )

    def _accept(self, key: HostKey) -> None:
        policy = self._options.strict_host_key_checking
        if policy == "yes":
            raise self._unknown(key, "StrictHostKeyChecking is on", "add it to known_hosts once it is verified")
        if policy == "ask":
            self._ask(key)
        self._record(key)

    def _ask(self, key: HostKey) -> None:
        question = (
            f"The authenticity of host '{self._names[0]}' can't be established.\n"
            f"{key.family} key fingerprint is {key.fingerprint}.\n"
            "Are you sure you want to continue connecting (yes/no/[fingerprint])? "
        )
        for _ in range(QUESTIONS):
            answer = self._caller.ask(question, echo=True)
            if answer is None:
                hint = f"verify it, and connect once in a terminal: `ssh {shlex.quote(self._options.host)}`"
                raise self._unknown(key, "there is no terminal to ask on", hint)
            if answer.strip().lower() == "yes" or answer.strip() == key.fingerprint:
                return
            if answer.strip().lower() == "no":
                break
            question = "Please type 'yes', 'no' or the fingerprint: "
        raise self._unknown(key, "not accepted", "")

    def _unknown(self, key: HostKey, why: str, hint: str) -> ConnectError:
        return ConnectError(
            f"the host key of `{self._names[0]}` is not known", f"{key.family} {key.fingerprint}, {why}", hint
        )

    def _record(self, key: HostKey) -> None:
        if not self._options.known_hosts or self._options.known_hosts[0] == "/dev/null":
            return
        path = self._options.known_hosts[0]
        salt = os.urandom(20) if self._options.hash_known_hosts else None
        try:
            append(path, format_line(self._names[0], key, salt))
        except OSError as error:
            self._caller.tell(f"rdo: could not add the host key to {path}: {error.strerror}")
            return
        notice = self._options.new_key_notice
        if notice is None:
            notice = f"permanently added '{self._names[0]}' ({key.family}) to the list of known hosts"
        if notice:
            self._caller.tell(f"rdo: {notice}")


def _place(entry: Entry | None) -> str:
    return f"{entry.path}:{entry.line}" if entry else ""
