"""The interface between rdo and a way to reach a target. A driver knows nothing of commands, mapping or clients.

Every driver gives the same thing, a channel to a program on the target with three streams and an exit status, so
that all else is shared. No library is imported here; a driver maps its library's exceptions to rdo.errors.
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
"""Largest chunk (bytes) that one read of a channel returns: an SSH packet as rdo negotiates them."""

NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


class WindowSize(NamedTuple):
    """Size of a terminal: in characters, and in pixels where the terminal knows (else 0)."""

    rows: int
    columns: int
    width: int = 0
    height: int = 0


class Pty(NamedTuple):
    """A pseudo-terminal to make on the target."""

    term: str
    size: WindowSize


class ChannelOptions(NamedTuple):
    """How to open a channel for a command: what one command may have otherwise than the next on the same connection."""

    pty: Pty | None = None
    variables: Mapping[str, str] = NO_VARIABLES
    """Those that the target is asked to set, which it may refuse."""
    login: bool = False
    """Whether the user's login shell is to run the bootstrap, as a login shell."""


class Chunk(NamedTuple):
    """A piece of output: `stream` is STDOUT or STDERR, `data` is never empty, and stays as it is."""

    stream: int
    data: bytes | memoryview


class PtyRefused(LinkLost):
    """The target gives this user no terminal (PermitTTY); a channel without one may work."""


class ChannelRefused(Exception):
    """The target allows no further channel on this connection (MaxSessions); another connection may have room."""


class Channel(Protocol):
    """One program on the target. Writing and reading may go on in two threads at a time, one each."""

    @property
    def ended(self) -> bool:
        """Whether the program or the connection is known to have ended; does not wait."""

    def has_exited(self) -> bool:
        """Whether the program has ended, though others may hold its streams open. May ask the target.

        Raises LinkLost where the program can neither end nor go on at present, as in a container that is paused.
        """

    def write(self, data: bytes | memoryview) -> None:
        """Give all of `data` to the program's stdin; wait while it does not read. Dropped once its stdin is closed.

        Raises LinkLost.
        """

    def try_write(self, data: bytes | memoryview) -> bool:
        """Write all of `data` if the program has room for it: whether it was written. Waits for the connection at most.

        A channel that cannot know takes nothing. Raises LinkLost.
        """

    def write_first(self, data: bytes) -> None:
        """Have the program read this first: a little, written as soon as it can be, without waiting for that. No more
        is to be written before the program has answered. Whoever reads notices a connection that is lost.
        """

    def read(self, timeout: float | None = None, sink: Sink | None = None) -> Chunk | None:
        """The next output, or None when both streams have ended. Raises TimeoutError after `timeout` seconds.

        A connection that broke reads as the end; `exit_status` reports it. Output that comes while nothing is to be
        read may be given to `sink` by whoever receives it, which spares a change of threads; what that does not take
        is read.
        """

    def watch(self, sink: Sink, readable: Callable[[bool], None]) -> bool:
        """Have output given to `sink` without a thread that reads, while it takes all; then `readable` is called, once,
        by whoever receives: from then on somebody has to read. Its argument: whether all is over, with a status. An
        empty piece may be given to `sink` where both streams have ended and the program has not.

        False where only who reads receives: nothing is called. It is for the time before the first read.
        """

    def end_input(self) -> None:
        """Close the program's stdin, after all that was written."""

    def stop_reading(self) -> bool:
        """Close the near end of stdout, so that the program meets SIGPIPE. False where the target cannot do that."""

    def resize(self, size: WindowSize) -> None:
        """Change the size of the channel's pty."""

    def exit_status(self) -> int:
        """Wait for the end: the status, or 128+n where signal n ended it. Raises LinkLost when none will come."""

    def close(self) -> None:
        """Give it up. All that the program notices is that its streams are gone."""


class Connection(Protocol):
    """A held way to one target, over which channels are opened. Usable from any thread."""

    @property
    def leads_process_group(self) -> bool:
        """Whether what a channel runs is known to lead a process group of its own, also without a pty."""

    @property
    def runs_sh(self) -> bool:
        """Whether /bin/sh runs the command of a channel, and not a login shell."""

    def open_channel(self, command: str, pty: Pty | None, variables: Mapping[str, str] = NO_VARIABLES) -> Channel:
        """Start `command` (for the login shell of the target, or /bin/sh -c). Raises ChannelRefused, LinkLost."""

    def open_stream(self, destination: Endpoint, sink: Sink, changed: Callable[[], None]) -> TargetStream:
        """Have the target connect to a server that it can reach, without waiting for that: see TargetStream.

        Raises LinkLost.
        """

    def listen(self, at: Endpoint, accept: Callable[[IncomingStream], None]) -> RemoteListener:
        """Have the target listen for us; port 0 leaves it to choose one. `accept` is called with each connection, from
        any thread, and must not wait. Raises SetupError where the target does not, LinkLost.
        """

    @property
    def keepalive(self) -> LinkWatch:
        """Whether the target still answers."""

    def close(self) -> None:
        """End it, and all channels with it. Never raises; may be called twice."""


class Target(Protocol):
    """What a profile resolves to for one caller. Those with equal keys share connections, whatever profile they are of.

    It holds no connection: that is for the pool.
    """

    @property
    def name(self) -> str:
        """For people, such as `ubuntu@devbox:2222`."""

    @property
    def driver(self) -> str:
        """The driver's name, as config files have it."""

    @property
    def key(self) -> Hashable:
        """All that a connection to it depends on."""

    @property
    def details(self) -> Mapping[str, str]:
        """What tells it apart from others of its name, as far as people can make something of that. A variable of the
        environment is called `$NAME`, and has a digest for a value.
        """

    @property
    def found_by(self) -> str:
        """Its name there, if that may become another's while this one is connected; else empty."""

    @property
    def variables_read(self) -> frozenset[str]:
        """Names of the caller's variables that led to it."""

    @property
    def forwards(self) -> ForwardSet:
        """What goes with it by its own configuration, as of ssh, once it is connected."""

    def options(self, caller: Caller, pty: Pty | None) -> ChannelOptions:
        """How a channel is opened for a command of this caller."""

    def connect(self, caller: Caller) -> Connection:
        """A new connection, logged in. Raises ConnectError, ConfigError."""

    def serves_here(self, here: int, there: int) -> bool:
        """Whether the TCP port `here` of this machine leads to `there` of the target's anyway."""

    def release(self) -> None:
        """Give up what is still open from finding out what the target is: others hold a connection to it."""


class Driver(Protocol):
    """How a profile reaches its target, and what it knows of it without connecting."""

    @property
    def switches_user(self) -> bool:
        """Whether it runs a command as the caller's `user` by itself; else that is for the target's sudo."""

    @property
    def target(self) -> str:
        """The target's name for people, as far as it is known without asking anybody."""

    def roots(self) -> Sequence[Root]:
        """The directories that both sides see, without connecting if possible. Raises ConfigError, ConnectError."""

    def unmapped_error(self, directory: str) -> RdoError | None:
        """The driver's own error for a local directory that no root holds; None where that of the mapping will do."""

    def sharing(self) -> str:
        """How the project's directory is on the target without any copy, as far as that is known once the target is
        resolved; empty if it is not.
        """

    def selector(self, caller: Caller) -> Hashable:
        """All that the choice of the target depends on, without asking anybody: who has an equal one, and equal values
        of the target's `variables_read`, is led to the same target, for as long as that is connected.
        """

    def resolve(self, caller: Caller) -> Target:
        """The target itself: may ask ssh, Vagrant or the Docker engine. Raises ConnectError, ConfigError."""
