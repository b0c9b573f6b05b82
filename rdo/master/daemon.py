"""The control master: a daemon that serves the commands of one profile, and ends after an idle time.

Started by a client (client/spawn_master.py) as `python -c MASTER SOCKET CONFIG PROFILE RELEASE`.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial

from rdo import project
from rdo.errors import ConfigError, RdoError, SetupError
from rdo.fscodec import fsdecode, fsencode
from rdo.ipc import protocol, startup
from rdo.ipc.request import Request, decode_request
from rdo.ipc.request import version as request_version
from rdo.master import daemonize, preload
from rdo.master.client_connection import ClientConnection, ClientGone
from rdo.master.lifetime import Lifetime
from rdo.master.listener import Acceptor, Listener
from rdo.master.target import Target
from rdo.util import crash, limits, threads

SETTLE_GRACE = 5.0
"""Seconds until the first command is on its way: then the rest is loaded, and garbage collected."""

STOP_NOW_TIMEOUT = 6.0
"""Seconds from `rdoctl stop --now` to the end. A command has 4 of them, from its first signal to KILL."""

FIRST_FRAME_TIMEOUT = 30.0
"""Seconds for a peer to send its first frame, which it does at once: one that never does keeps no thread for ever."""

ALONE_TIMEOUT = 1.0
"""Seconds that a peer may take for each step while there is no other thread to wait for the next one."""

CLOSE_TIMEOUT = 10.0
"""Seconds for connections to be closed: a wedged engine or a dead connection may take very long."""


class Master:
    """Serves one profile of one config file."""

    def __init__(self, path: str, config: str, profile: str, release: str) -> None:
        """`release` is that of the client that started it: what client and master compare."""
        self._log = startup.log_path(path)
        self._release = release.encode()
        self._circumstances = limits.limits_of(0)
        self._config = config
        self._profile = profile
        self._user_file = project.user_file(os.environ)
        self._stamp = project.stamp(config, self._user_file)
        self._started = time.time()
        self._listing = threading.Lock()
        """Guards the commands that run."""
        self._commands: dict[ClientConnection, str] = {}
        self._loading = threading.Lock()
        """Guards the target, which is made once; held while the config is read."""
        self._target: Target | None = None
        self._listener = Listener(path)
        self._life = Lifetime(self._listener)

    def start(self) -> None:
        """Serve from now on. Raises SetupError."""
        Acceptor(self._listener, self._serve).start()
        with contextlib.suppress(SetupError):  # the first command loads it, then
            threads.start(self._prepare, name="prepare")

    def wait(self) -> None:
        """Wait until it is time to end and nothing runs any more; then leave."""
        self._life.wait()
        self._close_connections()
        self._listener.close()

    def _close_connections(self) -> None:
        if self._target is None:
            return
        with contextlib.suppress(SetupError):  # the end of the process closes them, too
            threads.start(self._target.close, name="close").join(CLOSE_TIMEOUT)

    def _prepare(self) -> None:
        """Load what the first command needs while it arrives, then the rest; finally start to collect garbage."""
        with contextlib.suppress(RdoError):  # the command that needs it fails with the same error, and reports it
            self._load()
        time.sleep(SETTLE_GRACE)
        if self._target is not None:
            preload.load_rest(self._target.config.settings.driver)
        _collect_garbage()

    def _load(self) -> Target:
        with self._loading:
            if self._target is None:
                from rdo.config import load as config

                loaded = config.load(self._config, self._profile, self._user_file)
                self._target = Target(loaded, partial(self._life.stay, loaded.settings.idle_timeout))
            return self._target

    def _end_now(self) -> None:
        """End the commands that run, too, and report that to their clients."""
        self._life.end_within(STOP_NOW_TIMEOUT)
        with self._listing:
            commands = list(self._commands)
        for client in commands:
            client.break_off(RdoError("the command was ended", "by `rdoctl stop --now`"))

    # One connection

    def _serve(self, connection: socket.socket, refusal: SetupError | None) -> None:
        """Serve a connection to its end; where there is a refusal, in a moment, and run no command. Never raises."""
        client = ClientConnection(connection, self._log)
        with contextlib.closing(client), contextlib.ExitStack() as served:
            try:
                connection.settimeout(ALONE_TIMEOUT if refusal else FIRST_FRAME_TIMEOUT)
                kind, payload = client.receive()
                connection.settimeout(ALONE_TIMEOUT if refusal else None)
                served.enter_context(self._life.served)
                self._dispatch(client, kind, bytes(payload), refusal)
            except ClientGone:
                pass
            except BaseException as error:
                client.fail(error)

    def _dispatch(self, client: ClientConnection, kind: bytes, payload: bytes, refusal: SetupError | None) -> None:
        if kind == protocol.RUN:
            if self._is_for_it(client, payload):
                if refusal:
                    raise refusal
                self._run(client, payload)
        elif kind == protocol.QUERY:
            client.send(protocol.REPORT, json.dumps(self._report()).encode())
        elif kind == protocol.STOP:
            if payload == b"1":
                self._end_now()
            else:
                self._life.end()
            client.send(protocol.REPORT, json.dumps(self._report()).encode())
        else:
            raise protocol.ProtocolError("a connection cannot start with this frame", repr(kind))

    def _run(self, client: ClientConnection, payload: bytes) -> None:
        request = decode_request(payload)
        if (request.config, request.profile) != (fsencode(self._config), fsencode(self._profile)):
            raise SetupError("this control socket belongs to another config file", self._config, "`rdoctl stop --all`")
        words = " ".join(fsdecode(word) for word in request.arguments)
        with self._listed(client, words):
            if self._is_stale(request):
                client.send(protocol.STALE)
                return
            client.send(protocol.ACCEPTED)
            try:
                target = self._load()
            except ConfigError:
                self._life.end()  # the next command may find it fixed
                raise
            target.run(client, request)

    def _is_for_it(self, client: ClientConnection, payload: bytes) -> bool:
        """Whether this master may serve the client; else it ends, and the client has another one started."""
        if request_version(payload) == self._release and self._may_serve(client.peer):
            return True
        self._life.end()
        client.send(protocol.STALE)
        return False

    def _may_serve(self, process: int) -> bool:
        """Whether we can do all for the client that a master of its own could: one that was started under `nice` or a
        hard limit cannot.
        """
        if not process or self._circumstances is None:
            return True
        theirs = limits.limits_of(process)
        return theirs is None or self._circumstances.allow(theirs)

    @contextlib.contextmanager
    def _listed(self, client: ClientConnection, words: str) -> Iterator[None]:
        """Show the command in reports, and have it ended by `rdoctl stop --now`."""
        with self._listing:
            self._commands[client] = words
        try:
            yield
        finally:
            self._life.use()
            with self._listing:
                del self._commands[client]

    def _is_stale(self, request: Request) -> bool:
        """Whether the config has changed since it was loaded, or what it has built; then this master ends."""
        if fsdecode(request.stamp) != self._stamp or (self._target and self._target.is_outdated()):
            self._life.end()
        return self._life.ending

    def _report(self) -> dict[str, object]:
        """What `rdoctl status` shows. Times in seconds."""
        with self._listing:
            running = list(self._commands.values())
        return {
            "config": self._config,
            "profile": self._profile,
            "driver": self._target.config.settings.driver if self._target else None,
            "target": self._target.driver.target if self._target else None,
            "pid": os.getpid(),
            "started": self._started,
            "running": running,
            "links": self._target.connections if self._target else 0,
            "idle_timeout": self._life.idle_timeout,
            "idle_for": 0 if running else self._life.idle_for,
            "ending": self._life.ending,
        }


def _collect_garbage() -> None:
    """From now on, but not what is loaded by now."""
    gc.collect()
    gc.freeze()
    gc.enable()


def main() -> None:
    """Serve; leave without a wait for threads that hold nothing."""
    threading.excepthook = lambda arguments: crash.log(arguments.exc_value or RuntimeError(str(arguments.exc_type)))
    daemonize.shed()
    path, config, profile, release = sys.argv[1:]
    try:
        daemonize.check_address_space()
        master = Master(path, config, profile, release)
        master.start()
    except SetupError as error:
        os.write(startup.READY_FD, str(error).encode())
        os._exit(1)
    os.write(startup.READY_FD, startup.LISTENS)
    os.close(startup.READY_FD)
    try:
        master.wait()
    except BaseException as error:
        crash.log(error)
    os._exit(0)
