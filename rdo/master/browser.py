"""Decides which commands can open URLs on this machine. Loaded when a profile first needs it."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from weakref import WeakKeyDictionary

from rdo.config.forwards import Endpoint, Forward
from rdo.config.schema import Settings
from rdo.ipc.request import Request
from rdo.master.browser_programs import BrowserPrograms
from rdo.master.client_connection import ClientConnection
from rdo.master.command_browser import ASK, CommandBrowser
from rdo.master.command_caller import WaitingCaller
from rdo.master.port_forwards import PortForwards
from rdo.pool.connection import HeldConnection
from rdo.pool.target_pool import TargetPool


class Browsers:
    """The browser programs of all connections of a control master. Thread-safe."""

    def __init__(self, forwards: PortForwards) -> None:
        self._forwards = forwards
        self._lock = threading.Lock()
        """Guards the browser programs of each connection."""
        self._programs: WeakKeyDictionary[HeldConnection, BrowserPrograms] = WeakKeyDictionary()

    def of_command(
        self,
        client: ClientConnection,
        request: Request,
        settings: Settings,
        connection: HeldConnection,
        pool: TargetPool,
        caller: WaitingCaller,
    ) -> CommandBrowser | None:
        """Returns None if URLs are not opened, or the target has no place for the programs; the command then runs
        without them."""
        if not _opens_urls(request, settings):
            return None
        programs = self._of_connection(connection)
        if programs.fault:
            caller.trace(f"URLs that the command opens are not opened here: {programs.fault}")
            return None
        return CommandBrowser(
            programs,
            client,
            caller.environment,
            partial(self._held, pool, connection),
            asks=settings.open_browser == ASK,
            can_ask=request.can_answer and not request.no_input,
        )

    def _held(self, pool: TargetPool, connection: HeldConnection, port: int) -> AbstractContextManager[object]:
        """See Hold."""
        if pool.target.serves_here(port, port):
            return nullcontext()
        wanted = Forward(Endpoint(port=port), Endpoint("localhost", port), exact=True)
        return self._forwards.held(pool, connection, [wanted], lambda line: None)

    def _of_connection(self, connection: HeldConnection) -> BrowserPrograms:
        with self._lock:
            programs = self._programs.get(connection)
            is_new = programs is None
            if programs is None:
                programs = self._programs[connection] = BrowserPrograms()
        if is_new:
            programs.make(connection, lambda: self._forget(connection))
        else:
            programs.wait()
        return programs

    def _forget(self, connection: HeldConnection) -> None:
        with self._lock:
            self._programs.pop(connection, None)


def _opens_urls(request: Request, settings: Settings) -> bool:
    """Whether URLs that the command opens are opened on this machine. A command with the local driver or in a container
    of its own cannot see the programs."""
    wanted = settings.open_browser != "no" and not request.sync_only
    return wanted and settings.driver != "local" and not settings.fresh
