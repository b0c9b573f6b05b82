"""The messages of SSH authentication (RFC 4252, 4256): one request, one outcome. Which to try: see login.py.

Written beside paramiko's own because that signs before it knows whether the server accepts the key, and keeps the
methods the server would take to itself.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence

from paramiko.common import (
    MSG_SERVICE_ACCEPT,
    MSG_USERAUTH_BANNER,
    MSG_USERAUTH_FAILURE,
    MSG_USERAUTH_SUCCESS,
    cMSG_SERVICE_REQUEST,
    cMSG_USERAUTH_INFO_RESPONSE,
    cMSG_USERAUTH_REQUEST,
)
from paramiko.message import Message

from rdo.drivers.ssh.algorithms import signature
from rdo.drivers.ssh.auth import login_messages
from rdo.drivers.ssh.auth.login_messages import AuthOutcome, Prompt
from rdo.drivers.ssh.auth.private_key import SigningKey
from rdo.drivers.ssh.fields import Violation, words
from rdo.drivers.ssh.options import SshOptions
from rdo.drivers.ssh.transport import SshTransport
from rdo.errors import ConnectError
from rdo.fscodec import fsencode

ANSWER_TIMEOUT = 120.0
"""Seconds for the server's answer: sshd's own LoginGraceTime, since PAM may wait for a telephone."""

LOGIN_TIMEOUT = 600.0
"""Seconds for all answers of one login: a server that uses its time for each would keep us for hours."""

REQUEST_LIMIT = 200
"""Messages of ours in one login: all keys of an agent, all questions. It stops a server that never has enough."""

ROUND_LIMIT = 32
"""Of questions in one attempt: PAM modules ask one at a time, and few."""

BANNER_LIMIT = 64 * 1024
"""Bytes of banners that are shown."""

ONE_KEY = "if the server allows fewer, name one with `identity`, or set IdentitiesOnly"

HOST_BOUND = "publickey-hostbound@openssh.com"
HOST_BOUND_METHOD = "publickey-hostbound-v00@openssh.com"
"""The extension by which a server says that it knows the method: OpenSSH's PROTOCOL, section 3.1."""

Answerer = Callable[[str, Sequence[Prompt]], "Sequence[str] | None"]
"""Gives the answers to an instruction and its prompts; None where nobody can be asked."""


class UserAuth:
    """The authentication of one user over one connection. All methods raise ConnectError when the connection ends."""

    def __init__(self, transport: SshTransport, options: SshOptions, show: Callable[[str], None]) -> None:
        """`show` gets the banner, if the server has one."""
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
        self._ask_service()

    def none(self) -> AuthOutcome:
        """Ask what there is; some servers let one in for that."""
        return self._exchange(self._request("none"))

    def probe(self, key: SigningKey) -> AuthOutcome | None:
        """Whether the server would take the key, without a signature: None if it would, else its refusal."""
        message = self._by_key(key, self.algorithm(key) or key.kind, signed=False)
        return self._outcome(message, lambda _: None)

    def publickey(self, key: SigningKey) -> AuthOutcome:
        """Log in with a key. Raises whatever the key's signing raises."""
        algorithm = self.algorithm(key) or key.kind  # once: the server may announce something else meanwhile
        message = self._by_key(key, algorithm, signed=True)
        signed = Message()
        signed.add_string(self._transport.session_id or b"")
        signed.add_bytes(message.asbytes())
        message.add_string(key.sign(signed.asbytes(), algorithm))
        return self._exchange(message)

    def _by_key(self, key: SigningKey, algorithm: str, *, signed: bool) -> Message:
        """With the server's own key in it, where the server knows that: then no other can use the signature."""
        known = self._transport.server_extensions.get(HOST_BOUND) == b"0"
        bound = self._transport.binding if known and self._options.host_bound else None
        message = self._request(HOST_BOUND_METHOD if bound else "publickey")
        message.add_boolean(signed)
        message.add_string(algorithm)
        message.add_string(key.blob)
        self._offered.add(key.blob)
        if bound:
            message.add_string(bound.host_key)
        return message

    def password(self, password: str) -> AuthOutcome:
        """Log in with a password."""
        message = self._request("password")
        message.add_boolean(False)
        message.add_string(fsencode(password))
        return self._exchange(message)

    def interactive(self, answer: Answerer, devices: str = "") -> AuthOutcome | None:
        """Log in by answering the server's questions; None if `answer` gave up. `devices` are the ones to ask with."""
        message = self._request("keyboard-interactive")
        message.add_string("")
        message.add_string(devices)
        return self._outcome(message, lambda question: self._responses(question, answer))

    def _ask_service(self) -> None:
        """Sent ahead of the first request, and its answer skipped: that saves a round trip."""
        message = Message()
        message.add_byte(cMSG_SERVICE_REQUEST)
        message.add_string("ssh-userauth")
        self._send(message)

    def _request(self, method: str) -> Message:
        message = Message()
        message.add_byte(cMSG_USERAUTH_REQUEST)
        message.add_string(self._user)
        message.add_string("ssh-connection")
        message.add_string(method)
        return message

    def _exchange(self, message: Message) -> AuthOutcome:
        outcome = self._outcome(message, lambda _: None)
        if outcome is None:  # a password that has run out: RFC 4252, section 8
            raise ConnectError(f"`{self._target}` requires a new password", "", "change the password with `ssh`")
        return outcome

    def _outcome(self, message: Message, question: Callable[[bytes], Message | None]) -> AuthOutcome | None:
        """Send, and follow the conversation to its end; None when `question` has no answer to the server's message."""
        try:
            return self._follow(message, question)
        except Violation as error:
            raise self._refused(error) from error

    def _follow(self, message: Message, question: Callable[[bytes], Message | None]) -> AuthOutcome | None:
        reply: Message | None = message
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
            reply = question(body)
        raise Violation(f"it asked more than {ROUND_LIMIT} times")

    def _receive(self, *, only_accepted: bool = False) -> tuple[int, bytes]:
        """The answer to what was sent. What comes before it does not give the server more time.

        `only_accepted`: the answer to the first message will do.
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

    def _responses(self, question: bytes, answer: Answerer) -> Message | None:
        title, instruction, prompts = login_messages.questions(question)
        answers = answer("\n".join(part for part in (title, instruction) if part), prompts)
        if answers is None:
            return None
        message = Message()
        message.add_byte(cMSG_USERAUTH_INFO_RESPONSE)
        message.add_int(len(answers))
        for text in answers:
            message.add_string(fsencode(text))
        return message

    def algorithm(self, key: SigningKey) -> str | None:
        """What to sign with by the key; None for one that user or server do not allow. Raises ConnectError."""
        self._await_extensions()
        known = self._transport.server_extensions.get("server-sig-algs", b"").decode("ascii", "replace")
        return signature(key.kind, self._options.algorithms.public_keys, known.split(",") if known else ())

    def _await_extensions(self) -> None:
        """Wait until it is known what the server announces, which has come with its keys from nearly all servers."""
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

    def _send(self, message: Message) -> None:
        self._requests += 1
        if self._requests > REQUEST_LIMIT:
            why = f"the login did not end within {REQUEST_LIMIT} messages"
            raise ConnectError(f"authentication failed for `{self._target}`", why)
        try:
            self._transport.send_login(message)
        except (EOFError, OSError, Violation) as error:
            raise self._ended() from error

    def _ended(self) -> ConnectError:
        """The server has ended it: by OpenSSH's protocol with one code for every reason, by dropbear's with none."""
        why = self._transport.disconnect_reason or "the server closed the connection during the login"
        hint = f"{len(self._offered)} keys were tried: {ONE_KEY}" if len(self._offered) > 1 else ""
        return ConnectError(f"authentication failed for `{self._target}`", why, hint)
