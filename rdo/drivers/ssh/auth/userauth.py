"""The exchange of SSH authentication messages (RFC 4252, 4256): one request, one outcome. login.py decides what to
try."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence

from paramiko.common import (
    MSG_SERVICE_ACCEPT,
    MSG_USERAUTH_BANNER,
    MSG_USERAUTH_FAILURE,
    MSG_USERAUTH_SUCCESS,
)

from rdo.drivers.ssh.auth import login_messages
from rdo.drivers.ssh.auth.login_messages import HOST_BOUND, AuthOutcome, Prompt
from rdo.drivers.ssh.auth.private_key import SigningKey
from rdo.drivers.ssh.fields import Violation, string, text, words
from rdo.drivers.ssh.messages import EncodedMessage
from rdo.drivers.ssh.options import SshOptions
from rdo.drivers.ssh.transport import SshTransport
from rdo.errors import ConnectError

ANSWER_TIMEOUT = 120.0
"""Seconds for the server's answer: sshd's own LoginGraceTime, since PAM may wait for a telephone."""

LOGIN_TIMEOUT = 600.0
"""Seconds for all answers of a login, since a server that uses all its time for each would take hours."""

REQUEST_LIMIT = 200
"""Messages to send in one login, for all keys of an agent and all questions. Stops a server that always asks for
more."""

ROUND_LIMIT = 32
"""Rounds of questions in one attempt. PAM modules ask one question at a time, and only a few."""

BANNER_LIMIT = 64 * 1024
"""Bytes of banners to show."""

ONE_KEY = "if the server allows fewer, name one with `identity`, or set IdentitiesOnly"

MessageResponder = Callable[[bytes], EncodedMessage | None]
"""Returns the next message to send after one from the server; None if there is none."""

Answerer = Callable[[str, Sequence[Prompt]], "Sequence[str] | None"]
"""Returns the answers to an instruction and its prompts; None if nobody can be asked."""


class UserAuth:
    """The authentication of one user over one connection. All methods raise ConnectError when the connection ends."""

    def __init__(self, transport: SshTransport, options: SshOptions, show: Callable[[str], None]) -> None:
        """`show` is called with the banner, if the server has one."""
        self._transport = transport
        self._options = options
        self._user = options.user
        self._target = options.address
        self._show = show
        self._banners = 0
        self._requests = 0
        self._waited = 0.0
        self._offered: set[bytes] = set()  # the keys that the server was shown
        self._is_accepted = False
        """Whether the server has answered the first message: what it announces (EXT_INFO) comes before that."""
        self._early: tuple[int, bytes] | None = None
        self._send(login_messages.ask_service())  # and do not wait for the answer, which saves a round trip

    def none(self) -> AuthOutcome:
        """Ask which methods there are. Some servers accept this as a login."""
        return self._exchange(login_messages.request(self._user, "none"))

    def probe(self, key: SigningKey) -> AuthOutcome | None:
        """Ask whether the server would accept the key, without a signature: None if it would, else its rejection."""
        message = self._by_key(key, self.algorithm(key) or key.kind, signed=False)
        return self._outcome(message, lambda _: None)

    def publickey(self, key: SigningKey) -> AuthOutcome:
        """Log in with a key. Raises whatever the key's signing raises."""
        algorithm = self.algorithm(key) or key.kind  # only once, since the server may announce something else meanwhile
        message = self._by_key(key, algorithm, signed=True)
        proof = key.sign(string(self._transport.session_id or b"") + message.payload, algorithm)
        return self._exchange(EncodedMessage(message.payload + string(proof)))

    def _by_key(self, key: SigningKey, algorithm: str, *, signed: bool) -> EncodedMessage:
        """If the server supports it, the request includes its host key, so that no other server can use the
        signature."""
        known = self._transport.server_extensions.get(HOST_BOUND) == b"0"
        bound = self._transport.binding if known and self._options.host_bound else None
        self._offered.add(key.blob)
        return login_messages.request_by_key(
            self._user, algorithm, key.blob, signed=signed, host_key=bound.host_key if bound else None
        )

    def password(self, password: str) -> AuthOutcome:
        """Log in with a password."""
        return self._exchange(login_messages.request(self._user, "password", b"\0" + text(password)))

    def interactive(self, answer: Answerer, devices: str = "") -> AuthOutcome | None:
        """Log in by answering the server's questions; None if `answer` gave up. `devices` are the devices to ask
        with."""
        message = login_messages.request(self._user, "keyboard-interactive", text("") + text(devices))
        return self._outcome(message, lambda question: self._responses(question, answer))

    def _exchange(self, message: EncodedMessage) -> AuthOutcome:
        outcome = self._outcome(message, lambda _: None)
        if outcome is None:  # the password has expired: RFC 4252, section 8
            raise ConnectError(f"`{self._target}` requires a new password", "", "change the password with `ssh`")
        return outcome

    def _outcome(self, message: EncodedMessage, respond: MessageResponder) -> AuthOutcome | None:
        """Send a message, and continue the exchange to its end; None if `respond` has no answer to a message of the
        server."""
        try:
            return self._follow(message, respond)
        except Violation as error:
            raise self._refused(error) from error

    def _follow(self, message: EncodedMessage, respond: MessageResponder) -> AuthOutcome | None:
        reply: EncodedMessage | None = message
        for _ in range(ROUND_LIMIT):
            if reply is None:
                return None
            self._send(reply)
            kind, body = self._receive()
            if kind == MSG_USERAUTH_SUCCESS:
                self._transport.authenticated = True
                return AuthOutcome(True)
            if kind == MSG_USERAUTH_FAILURE:
                return login_messages.failure(body)
            reply = respond(body)
        raise Violation(f"it asked more than {ROUND_LIMIT} times")

    def _receive(self, *, only_accepted: bool = False) -> tuple[int, bytes]:
        """The answer to what was sent. Other messages before it do not give the server more time.

        `only_accepted`: the answer to the first message suffices.
        """
        early, self._early = self._early, None
        if early is not None:
            return early
        started = time.monotonic()
        try:
            while True:
                kind, body = self._next_reply(started + min(ANSWER_TIMEOUT, LOGIN_TIMEOUT - self._waited))
                if kind == MSG_USERAUTH_BANNER:
                    self._show_banner(login_messages.banner(body))
                elif kind == MSG_SERVICE_ACCEPT:
                    self._is_accepted = True
                    if only_accepted:
                        return kind, body
                else:
                    return kind, body
        finally:
            self._waited += time.monotonic() - started

    def _next_reply(self, deadline: float) -> tuple[int, bytes]:
        try:
            reply = self._transport.replies.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise ConnectError(f"login timed out on `{self._target}`", "no reply from the server") from None
        if reply is None:
            raise self._ended()
        return reply

    def _show_banner(self, text: bytes) -> None:
        shown = text[: max(0, BANNER_LIMIT - self._banners)]
        self._banners += len(text)
        if shown:
            self._show(words(shown))

    def _responses(self, question: bytes, answer: Answerer) -> EncodedMessage | None:
        title, instruction, prompts = login_messages.questions(question)
        answers = answer("\n".join(part for part in (title, instruction) if part), prompts)
        return None if answers is None else login_messages.respond(answers)

    def algorithm(self, key: SigningKey) -> str | None:
        """The signature algorithm for the key; None if user or server allow none. Raises ConnectError."""
        self._await_extensions()
        known = self._transport.server_extensions.get("server-sig-algs", b"").decode("ascii", "replace")
        accepted = self._options.algorithms.public_keys
        return login_messages.signature_algorithm(key.kind, accepted, known.split(",") if known else ())

    def _await_extensions(self) -> None:
        """Wait until it is known what the server announces. Nearly all servers announce it together with their keys."""
        if self._is_accepted or self._transport.server_extensions:
            return
        try:
            kind, body = self._receive(only_accepted=True)
        except Violation as error:
            raise self._refused(error) from error
        if kind != MSG_SERVICE_ACCEPT:
            self._is_accepted, self._early = True, (kind, body)

    def _refused(self, error: Violation) -> ConnectError:
        return ConnectError(f"authentication failed for `{self._target}`", str(error))

    def _send(self, message: EncodedMessage) -> None:
        self._requests += 1
        if self._requests > REQUEST_LIMIT:
            why = f"the login did not end within {REQUEST_LIMIT} messages"
            raise ConnectError(f"authentication failed for `{self._target}`", why)
        try:
            self._transport.send_login(message)
        except (EOFError, OSError, Violation) as error:
            raise self._ended() from error

    def _ended(self) -> ConnectError:
        """The error for a server that has disconnected: OpenSSH uses the same code for every reason, dropbear none."""
        why = self._transport.disconnect_reason or "the server closed the connection during the login"
        hint = f"{len(self._offered)} keys were tried: {ONE_KEY}" if len(self._offered) > 1 else ""
        return ConnectError(f"authentication failed for `{self._target}`", why, hint)
