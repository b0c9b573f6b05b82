"""The interface between rdo and a way to reach a target. A driver knows nothing of commands, mapping or clients.

Every driver provides the same thing, a channel to a program on the target with three streams and an exit status, so
that everything else is shared. No library is imported here; a driver maps its library's exceptions to rdo.errors.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from rdo.drivers.caller import Caller
from rdo.drivers.link_watch import LinkWatch
from rdo.drivers.root import Root
from rdo.drivers.target_stream import IncomingStream, RemoteListener, Sink, TargetStream
from rdo.errors import LinkLost, RdoError

if TYPE_CHECKING:
    from rdo.config.forwards import Endpoint, ForwardSet

STDOUT = 1
STDERR = 2

READ_SIZE = 256 * 1024
"""Largest chunk in bytes that one read of a channel returns: the size of an SSH packet as rdo negotiates it."""

NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


class WindowSize(NamedTuple):
    """The size of a terminal, in characters and, if the terminal reports it, in pixels (else 0)."""

    rows: int
    columns: int
    width: int = 0
    height: int = 0


class Pty(NamedTuple):
    """A pseudo-terminal to create on the target."""

    term: str
    size: WindowSize


class ChannelOptions(NamedTuple):
    """How to open a channel for a command: what may differ between commands on the same connection."""

    pty: Pty | None = None
    variables: Mapping[str, str] = NO_VARIABLES
    """Variables that the target is asked to set, which it may refuse."""
    login: bool = False
    """Whether the user's login shell should run the bootstrap, as a login shell."""


class Chunk(NamedTuple):
    """A piece of output: `stream` is STDOUT or STDERR, `data` is never empty, and does not change later."""

    stream: int
    data: bytes | memoryview


class PtyRefused(LinkLost):
    """The target provides no terminal for this user (PermitTTY). A channel without one may work."""


class ChannelRefused(Exception):
    """The target allows no further channel on this connection (MaxSessions); another connection may have room."""


class Channel(Protocol):
    """One program on the target. One thread may write while another reads."""

    @property
    def ended(self) -> bool:
        """Whether the program or the connection is known to have ended. Does not wait."""

    def has_exited(self) -> bool:
        """Whether the program has ended, even if others hold its streams open. May ask the target.

        Raises LinkLost if the program can neither end nor continue at present, as in a paused container.
        """

    def write(self, data: bytes | memoryview) -> None:
        """Write all of `data` to the program's stdin, waiting while it does not read. Dropped if its stdin is closed.

        Raises LinkLost.
        """

    def try_write(self, data: bytes | memoryview) -> bool:
        """Write all of `data` if the program has room for it, and return whether it was written. Waits at most for the
        connection.

        A channel that cannot know whether there is room writes nothing. Raises LinkLost.
        """

    def write_first(self, data: bytes) -> None:
        """Write a small first piece for the program as soon as possible, without waiting for that. Nothing more may be
        written before the program has answered. A lost connection is noticed by the reading thread."""

    def read(self, timeout: float | None = None, sink: Sink | None = None) -> Chunk | None:
        """The next output, or None when both streams have ended. Raises TimeoutError after `timeout` seconds.

        A broken connection reads as the end; `exit_status` reports it. Output that arrives while there is nothing to
        read may be passed to `sink` by the receiving thread, which saves a switch of threads; what `sink` does not take
        is read.
        """

    def watch(self, sink: Sink, readable: Callable[[bool], None]) -> bool:
        """Pass output to `sink` without a reading thread, as long as `sink` takes everything. Then `readable` is
        called, once, by the receiving thread, after which somebody has to read. Its argument is whether everything is
        over, including the status. An empty piece may be passed to `sink` if both streams have ended before the
        program.

        Returns False, and calls nothing, if only a reading thread receives. To be called before the first read.
        """

    def end_input(self) -> None:
        """Close the program's stdin, after everything that was written."""

    def stop_reading(self) -> bool:
        """Close our end of stdout, so that the program gets SIGPIPE. Returns False if the target cannot do that."""

    def resize(self, size: WindowSize) -> None:
        """Change the size of the channel's pty."""

    def exit_status(self) -> int:
        """Wait for the end, and return the status, or 128+n if signal n ended the program. Raises LinkLost if there
        will be none."""

    def close(self) -> None:
        """Close the channel. The program only notices that its streams are closed."""


class Connection(Protocol):
    """An open connection to a target, over which channels are opened. Thread-safe."""

    @property
    def leads_process_group(self) -> bool:
        """Whether the program of a channel is known to lead a process group of its own, even without a pty."""

    @property
    def runs_sh(self) -> bool:
        """Whether the command of a channel is run by /bin/sh rather than a login shell."""

    def open_channel(self, command: str, pty: Pty | None, variables: Mapping[str, str] = NO_VARIABLES) -> Channel:
        """Start `command` (for the login shell of the target, or /bin/sh -c). Raises ChannelRefused, LinkLost."""

    def open_stream(self, destination: Endpoint, sink: Sink, changed: Callable[[], None]) -> TargetStream:
        """Have the target connect to a server, without waiting for that; see TargetStream.

        Raises LinkLost.
        """

    def listen(self, at: Endpoint, accept: Callable[[IncomingStream], None]) -> RemoteListener:
        """Have the target listen for rdo; for port 0, it chooses one. `accept` is called with each connection, from any
        thread, and must not wait. Raises SetupError if the target refuses, and LinkLost."""

    @property
    def keepalive(self) -> LinkWatch:
        """Reports whether the target still answers."""

    def close(self) -> None:
        """Close the connection, and all channels with it. Never raises; may be called twice."""


class Target(Protocol):
    """What a profile resolves to for one caller. Targets with equal keys share connections, whatever their profiles.

    A target holds no connection; the pool does.
    """

    @property
    def name(self) -> str:
        """A name for people, such as `ubuntu@devbox:2222`."""

    @property
    def driver(self) -> str:
        """The driver's name, as in config files."""

    @property
    def key(self) -> Hashable:
        """Everything that a connection to the target depends on."""

    @property
    def details(self) -> Mapping[str, str]:
        """What distinguishes the target from others of its name, as far as people can make use of that. A variable of
        the environment appears as `$NAME`, with a digest in place of its value."""

    @property
    def found_by(self) -> str:
        """The target's name for the driver, if that may come to denote another one while this one is connected; else
        empty."""

    @property
    def is_current(self) -> bool:
        """Whether the files that led to it still say the same. Otherwise, it has to be found again."""

    @property
    def variables_read(self) -> frozenset[str]:
        """The names of the caller's variables that were used to find it."""

    @property
    def forwards(self) -> ForwardSet:
        """The forwards in the target's own configuration, such as that of ssh, once it is connected."""

    def options(self, caller: Caller, pty: Pty | None) -> ChannelOptions:
        """How to open a channel for a command of this caller."""

    def connect(self, caller: Caller) -> Connection:
        """Connect and log in. Raises ConnectError, ConfigError."""

    def serves_here(self, here: int, there: int) -> bool:
        """Whether the local TCP port `here` leads to the target's port `there` without a forward."""

    def release(self) -> None:
        """Close what is still open from resolving the target, because another object holds the connection to it."""


class Driver(Protocol):
    """How a profile reaches its target, and what is known about that without connecting."""

    @property
    def switches_user(self) -> bool:
        """Whether the driver itself runs a command as the caller's `user`; otherwise the target's sudo does."""

    @property
    def target(self) -> str:
        """The target's name for people, as far as it is known without asking anybody."""

    def roots(self) -> Sequence[Root]:
        """The directories that both sides see, without connecting if possible. Raises ConfigError, ConnectError."""

    def unmapped_error(self, directory: str) -> RdoError | None:
        """The driver's own error for a local directory that is below no root; None if that of the mapping is good
        enough."""

    def sharing(self) -> str:
        """How the project's directory gets to the target without a copy, as far as that is known once the target is
        resolved; empty if it does not."""

    def selector(self, caller: Caller) -> Hashable:
        """Everything that the choice of the target depends on, without asking anybody. Callers with equal selectors,
        and equal values of the target's `variables_read`, get the same target, for as long as that is connected."""

    def resolve(self, caller: Caller) -> Target:
        """Find the target, which may involve asking ssh, Vagrant or the Docker engine. Raises ConnectError,
        ConfigError."""
