"""A command's output on its way to the client, with remote paths and ports replaced by local ones.

This module decides when a pause is long enough to send what was held back.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence

from rdo.drivers.base import STDERR, STDOUT, Channel, Chunk
from rdo.fscodec import fsencode
from rdo.paths.local_urls import PortMatcher
from rdo.paths.matcher import RootMatcher
from rdo.paths.output_mapper import Matcher, OutputMapper

PATH_GRACE = 0.05
"""Seconds to wait for the rest of what may be the start of a path. A prompt may end like that, and must appear without
a noticeable delay. By then, a program that was writing a path has written the rest."""

LARGE_SIZE = 1024
"""Bytes from which on a piece of output was more likely split by the transport than ended by the program."""

LARGE_GRACE = 1.0
"""Seconds to wait for what follows a large piece: a packet of 256 KiB takes that long over a slow connection."""

Send = Callable[[int, bytes], None]
"""Sends output of a stream to the client."""


class _MappedStream:
    """One stream, and the replacements made in it, one after another."""

    def __init__(self, matchers: Sequence[Matcher]) -> None:
        self._maps = [OutputMapper(matcher) for matcher in matchers]

    @property
    def is_holding(self) -> bool:
        return any(each.held for each in self._maps)

    def receive(self, data: bytes) -> bytes:
        for each in self._maps:
            data = each.receive(data) if data else data
        return data

    def release(self) -> bytes:
        data = b""
        for each in self._maps:
            data = (each.receive(data) if data else b"") + each.release()
        return data


class MappedOutput:
    """Both streams of one command, each with its own state."""

    def __init__(
        self,
        roots: Mapping[str, str],
        channel: Channel,
        send: Send,
        local_port: Callable[[int], int] | None = None,
    ) -> None:
        """`roots` maps remote directories to local ones. `local_port` returns the local port for a port of the target,
        and may wait.

        `send` takes the output to show, with its stream.
        """
        matchers: list[Matcher] = [PortMatcher(local_port)] if local_port else []
        if roots:
            matchers.append(RootMatcher({_encode(remote): _encode(local) for remote, local in roots.items()}))
        self._maps = {STDOUT: _MappedStream(matchers), STDERR: _MappedStream(matchers)}
        self._until = {STDOUT: math.inf, STDERR: math.inf}
        """The time until which each stream holds something back."""
        self._channel = channel
        self._send = send

    def read(self) -> Chunk | None:
        """Read the channel's next output. Meanwhile, send what has been held back for long enough."""
        while True:
            self._release_before(now := time.monotonic())
            until = min(self._until.values())
            try:
                return self._channel.read(None if until == math.inf else until - now)
            except TimeoutError:
                pass

    def send(self, stream: int, data: bytes | memoryview) -> None:
        """Send as much of the output as is decided."""
        self._show(stream, self._maps[stream].receive(bytes(data)))
        pause = PATH_GRACE if len(data) < LARGE_SIZE else LARGE_GRACE
        self._until[stream] = time.monotonic() + pause if self._maps[stream].is_holding else math.inf

    def release(self) -> None:
        """Send everything held back, since nothing follows."""
        self._release_before(math.inf)

    def _release_before(self, now: float) -> None:
        for stream, until in self._until.items():
            if until <= now:
                self._until[stream] = math.inf
                self._show(stream, self._maps[stream].release())

    def _show(self, stream: int, data: bytes) -> None:
        if data:
            self._send(stream, data)


def _encode(path: str) -> bytes:
    return fsencode(path)
