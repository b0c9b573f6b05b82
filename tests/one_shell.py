"""A pool for tests of sync, which opens a new local shell for each job. What a real pool does has its own tests."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from rdo.drivers.base import Channel, Connection
from rdo.drivers.local.driver import LocalDriver
from rdo.errors import LinkLost
from rdo.fscodec import fsdecode
from rdo.remote_sh.render import render
from rdo.remote_sh.script import Script
from tests.connecting import connected
from tests.ssh_client import ScriptedCaller
from tests.unit.remote_sh.shells import SHELLS


class OneShell:
    """A pool of one connection, each of whose shells is the one that the test selects, with its PATH."""

    def __init__(self, shell: str = "dash", path: str = "") -> None:
        self.words = SHELLS[shell]
        self.path = path or os.environ["PATH"]
        self.channel: Callable[[Channel], Channel] = lambda channel: channel
        """Wraps each channel as the test needs it."""
        self.jobs = 0
        self.connections = [SimpleNamespace(keepalive=SimpleNamespace(ended=False))]
        self._connection: Connection = connected(LocalDriver("/", None), ScriptedCaller())

    @contextlib.contextmanager
    def lease(self, caller: object, opening: object, *, for_job: bool = False) -> Iterator[Any]:
        """See ShellPool."""
        opened: list[Channel] = []
        lease = SimpleNamespace(connection=self.connections[0], shell=SimpleNamespace(channel=None))

        self.jobs += 1
        shell, *options = self.words.split()
        program = shutil.which(shell)
        assert program, f"{shell} is not installed"
        words = [program, *options]
        channel = _LazyChannel(opened)

        def start(script: Script) -> None:
            text = fsdecode(render(script, nonce="", pty=False))
            quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in [*words, "-c", text])
            command = f"export PATH='{self.path}'; exec {quoted}"
            opened.append(self.channel(self._connection.open_channel(command, None)))

        lease.shell.channel = channel
        lease.shell.start = start
        try:
            yield lease
        finally:
            for each in opened:
                each.close()
                with contextlib.suppress(LinkLost):
                    each.exit_status()  # no child process may remain

    def close(self) -> None:
        self._connection.close()


class _LazyChannel:
    """A channel that is opened when its script is known."""

    def __init__(self, opened: list[Channel]) -> None:
        self._opened = opened

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened[0], name)


class CutChannel:
    """A channel over a connection that breaks after a number of bytes were sent or received."""

    def __init__(self, channel: Channel, out: int | None = None, back: int | None = None) -> None:
        self._channel = channel
        self._out = out
        self._back = back
        self._cut = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    def write(self, data: bytes) -> None:
        if self._out is not None:
            self._channel.write(data[: self._out])
            self._out -= len(data)
            if self._out <= 0:
                self._break()
        else:
            self._channel.write(data)

    def read(self, timeout: float | None = None) -> object:
        if self._cut or (self._back is not None and self._back <= 0):
            self._break()
        chunk = self._channel.read(timeout)
        if chunk is not None and self._back is not None:
            self._back -= len(chunk.data)
        return chunk

    def _break(self) -> None:
        self._cut = True
        self._channel.close()
        raise LinkLost("the connection to `here` is lost", "the test cut it")
