"""The caller of a command as the drivers see it, implemented by the command's client. See rdo.drivers.caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from rdo import plan
from rdo.drivers.caller import CallerGone
from rdo.errors import one_line, printable
from rdo.fscodec import fsdecode
from rdo.ipc import protocol
from rdo.ipc.request import Request
from rdo.master.client_connection import ClientConnection, ClientGone
from rdo.master.progress import Progress
from rdo.util import charset


class WaitingCaller:
    """The caller of a command that has not started yet; see drivers.caller.Caller."""

    def __init__(self, client: ClientConnection, request: Request, user: str = "") -> None:
        self._client = client
        self._request = request
        self.user = user
        self._progress = Progress(self._show)

    def __enter__(self) -> WaitingCaller:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop showing progress."""
        self._progress.end()

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """See Caller."""
        return {**dict(plan.pairs(self._request.environ)), "PWD": fsdecode(self._request.pwd)}

    @property
    def process(self) -> int:
        """See Caller."""
        return self._client.peer

    def ask(self, question: str, *, echo: bool) -> str | None:
        """See Caller. Raises ClientGone."""
        self._progress.end()  # while somebody is typing, nothing else must be printed
        self._progress = Progress(self._show)
        return self._prompt((b"1" if echo else b"0") + self._encoded(question))

    def _prompt(self, payload: bytes) -> str | None:
        self._client.send(protocol.PROMPT, payload)
        kind, answer = self._client.receive()
        if kind != protocol.ANSWER:
            raise protocol.ProtocolError("the question was not answered")
        return fsdecode(bytes(answer[1:])) if answer[:1] == b"1" else None

    def screen(self) -> tuple[int, int] | None:
        """See Caller. Raises ClientGone."""
        rows, _, columns = (self._prompt(b"w") or "").partition(" ")
        return (int(rows), int(columns)) if rows.isdigit() and columns.isdigit() else None

    def report(self, line: str) -> None:
        """See Caller. Raises ClientGone."""
        # a server's banner may span several lines
        shown = one_line(line) if line.startswith("rdo: ") else printable(line)
        self._client.send(protocol.NOTICE, self._encoded(shown))

    def trace(self, line: str) -> None:
        """See Caller. Raises ClientGone."""
        if self._request.verbose:
            self.report(f"rdo: {line}")

    def progress(self, step: str) -> bool:
        """See Caller. Raises ClientGone."""
        if self._progress.over or self._client.has_gone:
            raise ClientGone
        if not self._request.progress:
            return False
        self._progress.step(f"rdo: {one_line(step)}")
        return True

    def _encoded(self, text: str) -> bytes:
        """The text as bytes, in characters that the caller's terminal can show."""
        return charset.escaped_for_terminal(text, self.environment).encode("utf-8", "replace")

    def _show(self, line: str) -> bool:
        try:
            self._client.send(protocol.PROGRESS, self._encoded(line))
        except ClientGone:
            return False
        return True


class CommandEnded(CallerGone):
    """The command that something was done for has ended."""


class StartedCaller(WaitingCaller):
    """The caller of a command that is running, while rdo does something that the command waits for. It is asked
    nothing, and shown nothing but reports."""

    def __init__(self, client: ClientConnection, request: Request, user: str, has_ended: Callable[[], bool]) -> None:
        super().__init__(client, request, user)
        self._has_ended = has_ended

    def ask(self, question: str, *, echo: bool) -> str | None:
        """See Caller."""
        return None

    def screen(self) -> tuple[int, int] | None:
        """See Caller."""
        return None

    def progress(self, step: str) -> bool:
        """See Caller. Raises ClientGone, CommandEnded."""
        if self._has_ended():
            raise CommandEnded
        if self._client.has_gone:
            raise ClientGone
        return False
