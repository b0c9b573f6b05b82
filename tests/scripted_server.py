"""An SSH server by paramiko for logins with passwords and questions, for which sshd would need PAM."""

from __future__ import annotations

import functools
import socket
import threading
from collections.abc import Sequence
from pathlib import Path

import paramiko
from paramiko import common
from paramiko.server import InteractiveQuery

from tests.ssh_server import client_config

ACCEPT_TIMEOUT = 10.0
"""Seconds for the client under test to connect."""


class Script(paramiko.ServerInterface):
    """What the server asks, and the right answers. `methods` are the login methods that it claims to accept."""

    def __init__(
        self,
        methods: str,
        *,
        password: str = "",
        questions: Sequence[tuple[str, bool]] = (),
        answers: Sequence[str] = (),
        partial: bool = False,
    ) -> None:
        """`partial`: the right password is only the first step, and questions follow."""
        self.methods = methods
        self.password = password
        self.questions = questions
        self.answers = list(answers)
        self.partial = partial
        self.attempts: list[str] = []

    def get_allowed_auths(self, username: str) -> str:
        return self.methods

    def check_auth_password(self, username: str, password: str) -> int:
        self.attempts.append(f"password {password}")
        if password != self.password:
            return common.AUTH_FAILED
        if self.partial:
            self.partial, self.methods = False, "keyboard-interactive"
            return common.AUTH_PARTIALLY_SUCCESSFUL
        return common.AUTH_SUCCESSFUL

    def check_auth_interactive(self, username: str, submethods: str) -> int | InteractiveQuery:
        self.attempts.append("questions")
        return InteractiveQuery("", "Two things\x1b[2J", *self.questions)

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        return common.AUTH_SUCCESSFUL if responses == self.answers else common.AUTH_FAILED

    def get_banner(self) -> tuple[str, str]:
        return "Authorised users only\x1b[2J\n", "en"


@functools.cache
def host_key() -> paramiko.RSAKey:
    """A key for all servers, since creating it takes long."""
    return paramiko.RSAKey.generate(2048)


class ScriptedServer:
    """A server that listens on 127.0.0.1, serves one connection by the script, and ends with the `with` statement."""

    def __init__(self, script: Script, directory: Path) -> None:
        self.script = script
        self._key = host_key()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(ACCEPT_TIMEOUT)
        self.port: int = self._listener.getsockname()[1]
        self.ssh_config = directory / "scripted_config"
        known = directory / "scripted_known_hosts"
        known.write_text(f"[127.0.0.1]:{self.port} ssh-rsa {self._key.get_base64()}\n")
        client_config(
            self.ssh_config,
            self.port,
            "User bob",
            "IdentityFile none",
            "IdentityAgent none",
            f"UserKnownHostsFile {known}",
        )
        self._transport: paramiko.Transport | None = None
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        if self._transport is not None:
            self._transport.close()
            self._transport.join()
        self._listener.close()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        self._transport = paramiko.Transport(connection)
        self._transport.add_server_key(self._key)
        self._transport.start_server(threading.Event(), self.script)
