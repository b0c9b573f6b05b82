"""A command's output on its way to the client, with remote paths and ports as local ones.

Decides when a pause is long enough.
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
"""Seconds for which what may be the start of a path waits for the rest of it: a prompt may end so, and a person shall
not see it late. A program that wrote the one has written the other by then."""

LARGE_SIZE = 1024
"""Bytes from which on a piece was rather cut by the transport than ended by the program."""

LARGE_GRACE = 1.0
"""Seconds to wait for what follows a large piece: over a slow connection, a packet of 256 KiB takes its time."""

Send = Callable[[int, bytes], None]
"""Shows output of a stream."""


class _MappedStream:
    """One stream, in which one thing after the other is replaced."""

    def __init__(self, matchers: Sequence[Matcher]) -> None:
        self._maps = [OutputMapper(matcher) for matcher in matchers]

    @property
    def holds_some(self) -> bool:
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
        """`roots`: remote to local. `local_port` gives a port of the target as it is here, and may wait for it.

        `send` takes what is to be shown, by stream.
        """
        matchers: list[Matcher] = [PortMatcher(local_port)] if local_port else []
        if roots:
            matchers.append(RootMatcher({_encode(remote): _encode(local) for remote, local in roots.items()}))
        self._maps = {STDOUT: _MappedStream(matchers), STDERR: _MappedStream(matchers)}
        self._until = {STDOUT: math.inf, STDERR: math.inf}
        """Until when each stream holds something back."""
        self._channel = channel
        self._send = send

    def read(self) -> Chunk | None:
        """The channel's next output. Meanwhile, what was held back long enough is sent."""
        while True:
            self._release_before(now := time.monotonic())
            until = min(self._until.values())
            try:
                return self._channel.read(None if until == math.inf else until - now)
            except TimeoutError:
                pass

    def send(self, stream: int, data: bytes | memoryview) -> None:
        """Send what is certain of the output by now."""
        self._show(stream, self._maps[stream].receive(bytes(data)))
        pause = PATH_GRACE if len(data) < LARGE_SIZE else LARGE_GRACE
        self._until[stream] = time.monotonic() + pause if self._maps[stream].holds_some else math.inf

    def release(self) -> None:
        """Send all that is held back: nothing follows."""
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
