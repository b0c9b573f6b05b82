"""AsyncSSH as a server for tests, since it does things at other times and in another order than OpenSSH.

It runs commands by /bin/sh as the current user, without terminals.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import asyncssh

from tests.keys import make_key
from tests.ssh_server import client_config

TIMEOUT = 10.0
"""Seconds for the server to start, and to end."""

PIECE = 64 * 1024


class AsyncServer:
    """A server that listens on 127.0.0.1 while it is used as a context. `options` are those of asyncssh.listen."""

    def __init__(self, directory: Path, **options: Any) -> None:
        self._directory = directory
        self._options = options
        self._client_key = make_key(directory / "client_ed25519")
        self._host_key = make_key(directory / "host_ed25519")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self.ssh_config = directory / "ssh_config"

    def __enter__(self) -> AsyncServer:
        self._thread.start()
        self._run(self._begin())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(TIMEOUT)

    async def _begin(self) -> None:
        self._acceptor = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[str(self._host_key)],
            authorized_client_keys=f"{self._client_key}.pub",
            process_factory=_serve,
            encoding=None,
            **self._options,
        )
        port = self._acceptor.get_port()
        known = self._directory / "known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {self._host_key.with_suffix('.pub').read_text()}")
        client_config(
            self.ssh_config,
            port,
            f"IdentityFile {self._client_key}",
            "IdentitiesOnly yes",
            "IdentityAgent none",
            f"UserKnownHostsFile {known}",
        )

    async def _end(self) -> None:
        assert self._acceptor is not None
        self._acceptor.close()
        await self._acceptor.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


async def _serve(session: asyncssh.SSHServerProcess[bytes]) -> None:
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", session.command or "", stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    )
    feeding = asyncio.create_task(_relay(session.stdin, program.stdin))
    try:
        await asyncio.gather(_relay(program.stdout, session.stdout), _relay(program.stderr, session.stderr))
        status = await program.wait()
        if status < 0:
            session.exit_with_signal(signal.Signals(-status).name.removeprefix("SIG"))
        else:
            session.exit(status)
    finally:
        feeding.cancel()
        if program.returncode is None:
            os.killpg(program.pid, signal.SIGKILL)
            await program.wait()


async def _relay(source: Any, sink: Any) -> None:
    """Pass on everything that arrives and, to a program, whose streams are asyncio's own, also the end."""
    with contextlib.suppress(OSError, asyncssh.Error):
        while data := await source.read(PIECE):
            sink.write(data)
            await sink.drain()
        if isinstance(sink, asyncio.StreamWriter):
            sink.close()
