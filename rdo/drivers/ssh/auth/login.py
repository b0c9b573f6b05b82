"""Authentication: which methods to try, in which order, and the error if none is left.

The messages are in rdo.drivers.ssh.auth.userauth, the choice of keys in rdo.drivers.ssh.auth.keys.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from rdo.drivers.caller import Caller
from rdo.drivers.ssh.auth.agent import Agent
from rdo.drivers.ssh.auth.keys import KeyLogin
from rdo.drivers.ssh.auth.login_messages import AuthOutcome, Prompt
from rdo.drivers.ssh.auth.userauth import UserAuth
from rdo.drivers.ssh.options import SshOptions
from rdo.drivers.ssh.transport import SshTransport
from rdo.errors import ConnectError, printable, without_middle
from rdo.util.lines import split_lines
from rdo.util.phrases import listed

NOTE_LIMIT = 3
"""Keys that an error message mentions."""


def log_in(transport: SshTransport, options: SshOptions, caller: Caller) -> None:
    """Authenticate on a connection whose host key was checked. Raises ConnectError."""

    def show(banner: str) -> None:
        for line in () if options.quiet else split_lines(banner):
            caller.report(printable(line.rstrip("\r")))

    agent = Agent(options.identity_agent)
    try:
        if transport.binding is not None:
            agent.bind(*transport.binding)
        auth = UserAuth(transport, options, show)
        Login(auth, options, caller, KeyLogin(auth, options, caller, agent)).run()
    finally:
        agent.close()


class Login:
    """One login: tries what both sides allow until the server is satisfied."""

    def __init__(self, auth: UserAuth, options: SshOptions, caller: Caller, keys: KeyLogin) -> None:
        self._auth = auth
        self._options = options
        self._caller = caller
        self._keys = keys
        self._offered: tuple[str, ...] | None = None  # unknown until the server rejects something
        self._exhausted: set[str] = set()
        self._unasked = False
        self._tried: list[str] = []
        self._attempts = {
            "none": self._nothing,
            "publickey": keys.attempts,
            "keyboard-interactive": self._questions,
            "password": self._passwords,
        }

    def run(self) -> None:
        """Return when logged in. Raises ConnectError."""
        while (method := self._next()) is not None:
            self._caller.progress(f"logging in to `{self._options.address}`")
            self._caller.trace(f"login to {self._options.address}: {method}")
            for outcome in self._attempts[method]():
                if method not in (*self._tried, "none"):
                    self._tried.append(method)
                if outcome.success:
                    return
                self._offered = outcome.methods
                if outcome.partial:
                    self._exhausted.clear()
                if outcome.partial or method not in outcome.methods:
                    break
        raise self._refused(self._offered or ())

    def _next(self) -> str | None:
        """Try the next method. The answer to a first key also shows what else the server accepts; without a key, `none`
        does."""
        if self._offered is None:
            keys_first = self._options.methods[:1] == ("publickey",) and "publickey" not in self._exhausted
            found: str | None = "publickey" if keys_first else "none"
        else:
            left = (name for name in self._options.methods if name in self._offered and name not in self._exhausted)
            found = next(left, None)
        if found is not None:
            self._exhausted.add(found)
        return found

    def _nothing(self) -> Iterator[AuthOutcome]:
        yield self._auth.none()

    def _passwords(self) -> Iterator[AuthOutcome]:
        for _ in range(self._options.password_prompts):
            password = self._ask(f"{self._options.user}@{self._options.host}'s password: ", echo=False)
            if password is None:
                return
            yield self._auth.password(password)

    def _questions(self) -> Iterator[AuthOutcome]:
        for _ in range(self._options.password_prompts):
            asked: list[Prompt] = []
            outcome = self._auth.interactive(
                lambda text, prompts, asked=asked: self._answers(text, prompts, asked),  # type: ignore[misc]
                self._options.devices,
            )
            if outcome is None:
                return
            yield outcome
            if not asked:  # it would only reject the same again
                return

    def _answers(self, instruction: str, prompts: Sequence[Prompt], asked: list[Prompt]) -> list[str] | None:
        asked.extend(prompts)
        for line in split_lines(instruction):
            self._caller.report(printable(line.rstrip("\r")))
        answers: list[str] = []
        for prompt in prompts:
            question = f"({self._options.user}@{self._options.host}) {without_middle(printable(prompt.text))}"
            answer = self._ask(question, echo=prompt.echo)
            if answer is None:
                return None
            answers.append(answer)
        return answers

    def _ask(self, question: str, *, echo: bool) -> str | None:
        answer = self._caller.ask(question, echo=echo)
        self._unasked = self._unasked or answer is None
        return answer

    def _refused(self, offered: tuple[str, ...]) -> ConnectError:
        accepts = f"the server accepts {listed(offered)}" if offered else "the server accepts no methods"
        nobody = "there was no terminal to ask on" if self._unasked else "there was nothing to try"
        tried = f"tried {listed(self._tried)}" if self._tried else nobody
        notes = self._keys.notes
        more = [f"{len(notes) - NOTE_LIMIT} more keys failed"] if len(notes) > NOTE_LIMIT else []
        why = "; ".join([accepts, tried, *notes[:NOTE_LIMIT], *more])
        return ConnectError(f"authentication failed for `{self._options.address}`", why, self._hint(offered))

    def _hint(self, offered: tuple[str, ...]) -> str:
        copy = f"`{self._options.copy_command}`"
        if self._keys.locked:
            return f"type `ssh-add {shlex.quote(self._keys.locked)}`, or run this in a terminal"
        if self._unasked:
            return f"run this in a terminal, or type {copy} in one"
        if "publickey" not in offered:
            return ""
        others = [name for name in offered if name != "publickey"]
        return f"type {copy}" if others else f"have your key added to its authorized_keys, as by {copy}"
