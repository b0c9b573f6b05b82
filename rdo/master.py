"""The control master: a daemon that serves the commands of one profile, and ends after an idle time.

Started by a client (launch.py) as `python -c MASTER SOCKET CONFIG PROFILE`.
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

from rdo import discovery, launch, protocol
from rdo.conversation import Conversation, Gone
from rdo.errors import ConfigError, RdoError, SetupError
from rdo.listener import Listener
from rdo.target import Target

SETTLING = 5.0
"""Seconds until all is loaded, and there may be garbage to look for."""

LOOK_AROUND = 30.0
"""Seconds between two looks whether the socket is still ours."""

UNUSED_TIMEOUT = 60.0
"""Seconds that a master stays which has loaded no config."""

SPARE_THREADS = 8
"""Threads at most that wait for a connection: to start one takes a command longer than to wake one."""


class Master:
    """Serves one profile of one config file."""

    def __init__(self, path: str, config: str, profile: str) -> None:
        self._config = config
        self._profile = profile
        self._user_file = discovery.user_file(os.environ)
        self._stamp = discovery.stamp(config, self._user_file)
        self._started = time.time()
        self._used = time.monotonic()
        self._changed = threading.Condition()
        self._running: dict[int, str] = {}
        self._connections = 0
        self._waiting = 0
        self._ending = False
        self._loading = threading.Lock()
        self._target: Target | None = None
        self._listener = Listener(path)

    def serve(self) -> None:
        """Serve until it is time to end and nothing runs any more."""
        threading.Thread(target=self._prepare, name="prepare", daemon=True).start()
        threading.Thread(target=self._take_connections, name="session", daemon=True).start()
        with self._changed:
            while not self._finished():
                self._changed.wait(self._patience())
        if self._target is not None:
            self._target.shells.close()
        self._listener.close()

    def _prepare(self) -> None:
        """Load what the first command will need while it is still on its way; when all is loaded, look for garbage."""
        with contextlib.suppress(RdoError):  # the command that needs it meets it again, and says so
            self._load()
        time.sleep(SETTLING)
        _collect_garbage()

    def _load(self) -> Target:
        with self._loading:
            if self._target is None:
                from rdo import config

                self._target = Target(config.load(self._config, self._profile, self._user_file))
                with self._changed:
                    self._changed.notify()  # its idle timeout may be shorter
            return self._target

    # The end

    def _idle_timeout(self) -> float:
        return self._target.config.settings.idle_timeout if self._target else UNUSED_TIMEOUT

    def _idle_left(self) -> float | None:
        """Seconds until the idle end; None while a command runs, or if there is no such end."""
        timeout = self._idle_timeout()
        if not timeout or self._connections:
            return None
        return max(0.0, self._used + timeout - time.monotonic())

    def _patience(self) -> float:
        """Seconds until the next look at it: so no command, which puts the end off, has to say that it was here."""
        left = self._idle_left()
        return min(LOOK_AROUND, (self._idle_timeout() or LOOK_AROUND) if left is None else left)

    def _finished(self) -> bool:
        if self._idle_left() == 0 or not self._listener.in_place:
            self._end()
        return self._ending and not self._connections

    def _end(self) -> None:
        """Take no more commands; those that run go on."""
        with self._changed:
            if not self._ending:
                self._ending = True
                self._listener.leave()
                self._changed.notify()

    # One connection

    def _take_connections(self) -> None:
        """Serve one after the other, and see that there is always a thread that waits for the next one."""
        while self._begin_to_wait():
            connection = self._listener.accept()
            with self._changed:
                self._connections += 1
                self._waiting -= 1
                last = not self._waiting
            if last:
                threading.Thread(target=self._take_connections, name="session", daemon=True).start()
            self._answer(connection)

    def _begin_to_wait(self) -> bool:
        """Be one of the threads that wait, if they are not too many."""
        with self._changed:
            if self._waiting == SPARE_THREADS:
                return False
            self._waiting += 1
            return True

    def _answer(self, connection: socket.socket) -> None:
        conversation = Conversation(connection)
        try:
            kind, payload = conversation.receive()
            self._dispatch(conversation, kind, bytes(payload))
        except Gone:
            pass
        except RdoError as error:
            conversation.fail(error)
        finally:
            conversation.close()
            with self._changed:
                self._connections -= 1
                self._running.pop(id(conversation), None)
                self._used = time.monotonic()
                if self._ending and not self._connections:
                    self._changed.notify()

    def _dispatch(self, conversation: Conversation, kind: bytes, payload: bytes) -> None:
        if kind == protocol.RUN:
            self._run(conversation, payload)
        elif kind == protocol.QUERY:
            conversation.send(protocol.REPORT, json.dumps(self._report()).encode())
        elif kind == protocol.STOP:
            self._end()
            if payload == b"1" and self._target is not None:
                self._target.shells.close()
            conversation.send(protocol.REPORT, json.dumps(self._report()).encode())
        else:
            raise protocol.ProtocolError("a connection does not start with this frame", repr(kind))

    def _run(self, conversation: Conversation, payload: bytes) -> None:
        if protocol.version(payload) != protocol.VERSION:
            self._end()
            conversation.send(protocol.STALE)
            return
        request = protocol.decode_request(payload)
        if (request.config, request.profile) != (os.fsencode(self._config), os.fsencode(self._profile)):
            raise SetupError("this control socket is another config file's", self._config, "`rdoctl stop --all`")
        if self._is_stale(request):
            conversation.send(protocol.STALE)
            return
        conversation.send(protocol.ACCEPTED)
        try:
            target = self._load()
        except ConfigError:
            self._end()  # the next command may find it mended
            raise
        with self._changed:
            self._running[id(conversation)] = " ".join(os.fsdecode(word) for word in request.arguments)
        target.run(conversation, request)

    def _is_stale(self, request: protocol.Request) -> bool:
        """Whether the config has changed since it was loaded; then this master ends."""
        if os.fsdecode(request.stamp) != self._stamp:
            self._end()
        with self._changed:
            return self._ending

    def _report(self) -> dict[str, object]:
        """What `rdoctl status` shows. Times in seconds."""
        with self._changed:
            running = list(self._running.values())
        return {
            "config": self._config,
            "profile": self._profile,
            "driver": self._target.config.settings.driver if self._target else None,
            "target": self._target.driver.target if self._target else None,
            "pid": os.getpid(),
            "started": self._started,
            "running": running,
            "links": len(list(self._target.shells.links)) if self._target else 0,
            "idle_timeout": self._idle_timeout(),
            "idle_for": 0 if running else time.monotonic() - self._used,
            "ending": self._ending,
        }


def _collect_garbage() -> None:
    """Begin to, and never again look at what was loaded by now."""
    gc.collect()
    gc.freeze()
    gc.enable()


def main() -> None:
    """Serve; leave without a wait for threads that hold nothing."""
    path, config, profile = sys.argv[1:]
    try:
        master = Master(path, config, profile)
    except SetupError as error:
        os.write(launch.READY_FD, str(error).encode())
        os._exit(1)
    os.write(launch.READY_FD, launch.LISTENS)
    os.close(launch.READY_FD)
    master.serve()
    os._exit(0)
