"""Opens on this machine the URLs that a command opens on its target, after checking them and, if the user wants that,
after asking.

A target may be hostile. So each URL is shown before it is opened, and no more than one is opened per second.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

from rdo.client import browser
from rdo.errors import RdoError, SetupError, one_line, without_middle
from rdo.fscodec import fsdecode, fsencode
from rdo.ipc import protocol
from rdo.master import browser_url
from rdo.master.browser_programs import BrowserPrograms
from rdo.master.client_connection import ClientConnection, ClientGone
from rdo.master.command_terminal import CommandTerminal
from rdo.master.output_pump import OutputPump
from rdo.remote_sh.script import Script
from rdo.util import log, threads

ASK = "ask"

OPEN_INTERVAL = 1.0
"""Seconds from one URL to the next. A person opens no more than that, and a flood of windows is of no use."""

ASK_LIMIT = 3
"""Questions that may be pending, including the one being asked. Each holds back output for a while."""

ROOT = ("", "0", "root")
"""Values of sudo's user (or none) with which a command can use programs in a private directory."""

Hold = Callable[[int], contextlib.AbstractContextManager[object]]
"""Forwards a port of the target to the same local port number while a command runs. Raises SetupError."""


class CommandBrowser:
    """Opens the URLs of one command. `environment` is the caller's."""

    def __init__(
        self,
        programs: BrowserPrograms,
        client: ClientConnection,
        environment: Mapping[str, str],
        hold: Hold,
        *,
        asks: bool,
        can_ask: bool,
    ) -> None:
        """`can_ask`: the caller has a terminal to ask on."""
        self._programs = programs
        self._client = client
        self._environment = environment
        self._hold = hold
        self._asks = asks
        self._can_ask = can_ask
        self._token = os.urandom(16).hex()
        self._terminal: CommandTerminal | None = None
        self._ports: set[int] = set()
        self._held = contextlib.ExitStack()
        """The forwards. Used by one thread at a time."""
        self._changed = threading.Condition()
        """Guards everything below."""
        self._waiting: deque[tuple[bytes, Callable[[bool], None]]] = deque()
        """URLs to open, each with the function that takes the result. The first is being opened."""
        self._next_at = 0.0
        """The time from which another URL may be opened."""
        self._latest = b"", False
        """The latest URL, and whether it was opened."""
        self._refused: set[bytes] = set()
        """URLs that the user has refused, and that are not asked about again."""
        self._dropped = 0
        self._works = False
        """Whether the thread is running. It starts and ends with the lock held."""
        self._over = False

    def script(self, script: Script) -> Script:
        """The command's script, with the programs in its environment. A BROWSER set by the user is left alone.

        Through sudo, PATH is up to the target. Users other than root cannot use the programs.
        """
        if script.sudo not in ROOT:
            return script
        variables = {"BROWSER": f"{self._programs.directory}/browser", **script.environment, "RDO_BROWSER": self._token}
        path = script.path if script.sudo else (self._programs.directory, *script.path)
        return script._replace(environment=variables, path=path)

    def begin(self, output: OutputPump, redraw: Callable[[], object]) -> CommandTerminal:
        """Start serving the command, which has started. Input from the terminal goes to the session."""
        self._terminal = CommandTerminal(
            self._client, self._environment, output, redraw, can_ask=self._asks and self._can_ask
        )
        self._programs.listen(self._token, self._offer)
        return self._terminal

    def end(self) -> None:
        """Stop serving the command, which has ended."""
        self._programs.forget(self._token)
        with self._changed:
            self._over = True
            is_idle = not self._works
            self._changed.notify_all()
        if self._terminal is not None:
            self._terminal.close()
        if is_idle:
            self._held.close()

    def _offer(self, url: bytes, answer: Callable[[bool], None]) -> None:
        """See Opener."""
        with self._changed:
            known = self._answer_to(url)
            accepts = known is None and not self._over and self._has_room()
            if accepts:
                self._waiting.append((url, answer))
            elif known is None:
                self._dropped += 1
            starts = known is None and not self._works and not self._over
            self._works = self._works or starts
        if not accepts:
            answer(bool(known))
        if starts:
            try:
                threads.start(self._work, name="browser", broken=self._refuse_waiting)
            except SetupError:
                self._refuse_waiting()

    def _has_room(self) -> bool:
        """Whether one more URL may wait. None may wait for longer than the user takes to answer."""
        if self._asks:
            return len(self._waiting) < ASK_LIMIT
        return not self._waiting and time.monotonic() >= self._next_at

    def _answer_to(self, url: bytes) -> bool | None:
        """Whether the URL was opened, if that is known already: programs such as `python -m webbrowser` try one method
        after another. None for a new URL."""
        if url in self._refused or any(url == each for each, _ in self._waiting):
            return False
        latest, is_opened = self._latest
        return is_opened if url == latest and time.monotonic() < self._next_at else None

    # In a background thread

    def _work(self) -> None:
        """Open the waiting URLs and report those that were dropped, until there has been neither for a while."""
        assert self._terminal is not None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._over, max(0.0, self._next_at - time.monotonic()))
                is_over = self._over
                self._works = not is_over and bool(self._waiting or self._dropped)
                if not self._works:
                    break
            try:
                self._report_dropped(self._terminal)
                self._open_next(self._terminal)
            except ClientGone:
                with self._changed:
                    self._over = True
        if is_over:
            self._refuse_waiting()

    def _report_dropped(self, terminal: CommandTerminal) -> None:
        with self._changed:
            dropped, self._dropped = self._dropped, 0
        if dropped:
            what = "another URL was" if dropped == 1 else f"{dropped} other URLs were"
            why = f"no more than {ASK_LIMIT} wait for your answer" if self._asks else "a command can open one a second"
            terminal.show(f"rdo: {what} not opened here: {why}")

    def _open_next(self, terminal: CommandTerminal) -> None:
        with self._changed:
            if not self._waiting:
                return
            url, answer = self._waiting[0]
        is_opened = False
        try:
            is_opened = self._open(fsdecode(url), terminal)
        finally:
            with self._changed:
                self._waiting.popleft()
                self._latest = url, is_opened
                self._next_at = time.monotonic() + OPEN_INTERVAL
            answer(is_opened)

    def _refuse_waiting(self, fault: BaseException | None = None) -> None:
        """Refuse the waiting URLs, since the thread has ended or the command is over."""
        with self._changed:
            self._works = False
            refused = list(self._waiting)
            self._waiting.clear()
        for _, answer in refused:
            answer(False)
        if fault is not None and self._terminal is not None:
            self._terminal.show(f"rdo: cannot open URLs here: {log.words(fault)}; see `rdoctl log`")
        if self._over:
            self._held.close()

    def _open(self, url: str, terminal: CommandTerminal) -> bool:
        """Open a URL, and return whether it was opened. Raises ClientGone."""
        try:
            if fault := browser_url.fault(url):
                raise RdoError(f"cannot open `{without_middle(url)}` here", f"it {fault}")
            if not browser.program(self._environment):
                raise RdoError(f"cannot open `{one_line(url)}` here", browser.NONE_FOUND, browser.HINT)
            if not self._asks:
                self._hold_ports(url)
            elif not self._is_wanted(url, terminal):
                self._refused.add(fsencode(url))
                return False
        except RdoError as error:
            terminal.show(f"rdo: {error}")
            return False
        if not self._asks:
            terminal.show(f"rdo: opening {one_line(url)} here")
        self._client.send(protocol.OPEN_URL, url.encode())
        return True

    def _is_wanted(self, url: str, terminal: CommandTerminal) -> bool:
        """Ask the user. Raises RdoError if there is nobody to ask, or if an agreed URL cannot be opened."""
        if not terminal.can_ask:
            why = "there is no terminal to ask on"
            raise RdoError(f"did not open `{one_line(url)}` here", why, 'set `open_browser = "yes"` to open all')

        def shown(answer: bool | None) -> str:
            if not answer:
                return "rdo: not opened: no answer" if answer is None else "rdo: not opened"
            self._hold_ports(url)
            return "rdo: opening it"

        return terminal.ask(browser_url.question(url), shown)

    def _hold_ports(self, url: str) -> None:
        """Forward the ports that the URL leads to, with the same numbers. Raises RdoError."""
        for port in browser_url.ports(url):
            if port in self._ports:
                continue
            try:
                self._held.enter_context(self._hold(port))
            except SetupError as error:
                why = f"it leads to port {port} of the target, and {error.why} here"
                raise RdoError(f"cannot open `{one_line(url)}` here", why, "free the port, or choose another") from None
            self._ports.add(port)
