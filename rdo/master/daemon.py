"""The control master: a daemon that runs the commands of one user, and exits when it has been unused for a while.

Started by a client (client/spawn_master.py) as `python -c MASTER SOCKET RELEASE`.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator

import rdo
from rdo.errors import RdoError, SetupError
from rdo.ipc import protocol, startup
from rdo.ipc.release import release
from rdo.ipc.request import decode_request
from rdo.master import daemonize, memory, preload, queries, socket_activation
from rdo.master.admission import Admission, NotServed
from rdo.master.client_connection import ClientConnection, ClientGone
from rdo.master.command import CommandRunner, shown
from rdo.master.lifetime import Lifetime
from rdo.master.listener import Acceptor, ControlListener
from rdo.master.port_forwards import PortForwards
from rdo.pool.target_pool import TargetPool
from rdo.pool.target_table import TargetTable
from rdo.util import log, threads

SETTLE_GRACE = 5.0
"""Seconds until the first command is under way. Then the remaining modules are loaded, and garbage is collected."""

STOP_NOW_TIMEOUT = 6.0
"""Seconds from `rdoctl stop --now` to the end. A command has 4 of these, from its first signal to KILL."""

FIRST_FRAME_TIMEOUT = 30.0
"""Seconds for a peer to send its first frame, so that one that never does cannot occupy a thread for ever. A client
sends it at once."""

ALONE_TIMEOUT = 1.0
"""Seconds for each step of a peer while no other thread is left to accept connections."""

CLOSE_TIMEOUT = 10.0
"""Seconds to close connections, since a wedged engine or a dead connection may take very long."""

STOPPED = "`rdoctl stop`"
ENDED = RdoError("the command was ended", "by `rdoctl stop --now`")


class Master:
    """The control master of one user."""

    def __init__(self, path: str, release: bytes, lent: socket.socket | None = None) -> None:
        """`release` is that of the client that started the master; both sides compare it. `lent`: see
        ControlListener."""
        self._log = startup.log_path(path)
        self._admission = Admission(release)
        self._started = time.time()
        self._listing = threading.Lock()
        """Guards the list of running commands."""
        self._commands: dict[ClientConnection, str] = {}
        self._targets = TargetTable()
        self._forwards = PortForwards(os.path.dirname(path))
        self._runner = CommandRunner(self._targets, self._forwards)
        self._listener = ControlListener(path, lent)
        self._life = Lifetime(self._listener, self._targets)

    def start(self) -> None:
        """Start accepting connections. Raises SetupError."""
        log.event(f"started: rdo {rdo.__version__}, process {os.getpid()}")
        Acceptor(self._listener, self._serve).start()
        with contextlib.suppress(SetupError):
            threads.start(self._settle, name="settle")

    def wait(self) -> None:
        """Wait until the master is due to end and no command is running, then clean up."""
        self._life.wait()
        self._forwards.close()
        with contextlib.suppress(SetupError):  # if no thread can be started, the end of the process closes them
            threads.start(self._targets.close_all, name="close").join(CLOSE_TIMEOUT)
        self._listener.close()
        log.event("ended")

    def _settle(self) -> None:
        """Once the first command is under way, load the remaining modules, and enable garbage collection."""
        time.sleep(SETTLE_GRACE)
        try:
            preload.load_rest({pool.target.driver for pool in self._targets.pools})
        finally:
            memory.collect_garbage()

    def _end_now(self) -> None:
        """End the running commands, and report that to their clients."""
        self._life.end_within(STOP_NOW_TIMEOUT, STOPPED)
        with self._listing:
            commands = list(self._commands)
        for client in commands:
            client.break_off(ENDED)

    def _stop(self, payload: bytes) -> None:
        """Handle STOP: close some targets, or end the master."""
        mode, *chosen = payload.split(b"\0")
        now = mode == b"1"
        if chosen:
            numbers = {int(number) for number in chosen if number.isdigit()}
            pools = [pool for pool in self._targets.pools + self._targets.ending if pool.number in numbers]
            self._close(pools, now=now)
        elif now:
            self._end_now()
        else:
            self._life.end(STOPPED)

    def _close(self, pools: list[TargetPool], *, now: bool) -> None:
        """Close targets, and wait for that unless a command keeps them open."""
        self._targets.close(lambda pool: pool in pools, STOPPED)
        for command in [command for pool in pools for command in pool.running] if now else ():
            command.break_off(ENDED)
        deadline = time.monotonic() + (STOP_NOW_TIMEOUT if now else CLOSE_TIMEOUT)
        for pool in pools:
            if now or not pool.running:
                is_closed = pool.closed.wait(max(0.0, deadline - time.monotonic()))
                if now and not is_closed:  # a kept command outlives its client
                    pool.close(STOPPED)

    # Serving a connection

    def _serve(self, connection: socket.socket, refusal: SetupError | None) -> None:
        """Serve a connection to its end. If there is a `refusal`, run no command, and take only a moment. Never
        raises."""
        client = ClientConnection(connection, self._log)
        with contextlib.closing(client), contextlib.ExitStack() as served:
            try:
                if refusal:
                    connection.settimeout(ALONE_TIMEOUT)
                kind, payload = client.receive_within(ALONE_TIMEOUT if refusal else FIRST_FRAME_TIMEOUT)
                served.enter_context(self._life.served)
                self._dispatch(client, kind, bytes(payload), refusal)
            except ClientGone:
                pass
            except BaseException as error:
                client.fail(error)

    def _dispatch(self, client: ClientConnection, kind: bytes, payload: bytes, refusal: SetupError | None) -> None:
        if kind == protocol.RUN:
            self._admit(client, payload, refusal)
        elif kind == protocol.QUERY:
            client.send(protocol.REPORT, self._answer(payload))
        elif kind == protocol.STOP:
            self._stop(payload)
            client.send(protocol.REPORT, self._answer())
        else:
            raise protocol.ProtocolError("a connection cannot start with this frame", repr(kind))

    def _admit(self, client: ClientConnection, payload: bytes, refusal: SetupError | None) -> None:
        """Run a command from a client that this master may serve. Refer any other to another master, and make room for
        that one if necessary."""
        try:
            self._admission.check(payload, client.peer)
        except NotServed as other:
            if not other.socket:
                self._life.end("a client needs another control master")
            client.send(protocol.STALE, other.socket.encode())
            return
        if refusal:
            raise refusal
        self._run(client, payload)

    def _run(self, client: ClientConnection, payload: bytes) -> None:
        request = decode_request(payload)
        with self._listed(client, shown(request)):
            if self._life.ending:
                client.send(protocol.STALE)
                return
            client.send(protocol.ACCEPTED)
            self._runner.run(client, request)

    @contextlib.contextmanager
    def _listed(self, client: ClientConnection, words: str) -> Iterator[None]:
        """List the command in reports, and let `rdoctl stop --now` end it, while the block runs."""
        with self._listing:
            self._commands[client] = words
        try:
            yield
        finally:
            self._life.use()
            with self._listing:
                del self._commands[client]

    def _answer(self, question: bytes = b"") -> bytes:
        """The answer to QUERY: the report, unless it asks for something else. Raises RdoError."""
        if question:
            return queries.answer(queries.MasterTargets(self._targets, self._forwards), question)
        return json.dumps(self._report()).encode()

    def _report(self) -> dict[str, object]:
        """The report that `rdoctl status` shows. Times are in seconds."""
        with self._listing:
            running = list(self._commands.values())
        held = (self._runner.syncs, self._forwards)
        return {
            "pid": os.getpid(),
            "started": self._started,
            "running": running,
            "ending": self._life.ending,
            "targets": [
                *(queries.target_report(pool, *held, ending=self._life.ending) for pool in self._targets.pools),
                *(queries.target_report(pool, *held, ending=True) for pool in self._targets.ending),
            ],
        }


def _report(fd: int, answer: bytes) -> None:
    """Report to the client that started the master. If that was killed meanwhile, nobody reads it, but others may be
    served."""
    with contextlib.suppress(BrokenPipeError):
        os.write(fd, answer)


def main() -> None:
    """Run the control master, and exit without waiting for idle threads.

    The client that starts it waits for its report. systemd and launchd do not, and pass no release.
    """
    threading.excepthook = lambda arguments: log.crash(arguments.exc_value or RuntimeError(str(arguments.exc_type)))
    daemonize.drop_inherited()
    memory.keep_freed()
    path, *client_release = sys.argv[1:]
    log.keep_at(startup.log_path(path))
    try:
        daemonize.check_limits()
        lent = None if client_release else socket_activation.inherited_listener(path, os.environ)
        master = Master(path, client_release[0].encode() if client_release else release(), lent)
        master.start()
    except SetupError as error:
        _report(startup.READY_FD if client_release else log.LOG, str(error).encode())
        os._exit(1)
    if client_release:
        _report(startup.READY_FD, startup.LISTENS)
        os.close(startup.READY_FD)
    try:
        master.wait()
    except BaseException as error:
        log.crash(error)
    os._exit(0)
