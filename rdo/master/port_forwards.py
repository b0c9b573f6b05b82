"""The forwards that commands and config files ask for. Loads the code that holds forwards only when there is one, since
most users have none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

from rdo.config import forwards
from rdo.config.forwards import Forward, ForwardKind, InvalidForward
from rdo.config.load import Config
from rdo.drivers.base import Target
from rdo.errors import UsageError
from rdo.forward.failure_report import FailureReport
from rdo.fscodec import fsdecode
from rdo.pool.connection import HeldConnection
from rdo.pool.target_pool import PoolUser, TargetPool
from rdo.util.lazy import Lazy

if TYPE_CHECKING:
    from rdo.forward.forward_table import ForwardTable
    from rdo.forward.port_watch import PortWatch


class PortForwards:
    """All forwards of a control master. Thread-safe."""

    def __init__(self, directory: str) -> None:
        """`directory` is a private directory for sockets."""
        self._table = Lazy(partial(_table, directory))
        self._parsed: dict[tuple[str, ...], tuple[Forward, ...]] = {(): ()}

    def hold_for_profile(self, pool: TargetPool, user: PoolUser, config: Config, report: Callable[[str], None]) -> None:
        """Hold the forwards of a profile for as long as its target is connected. Raises ConfigError."""
        words = config.settings.forward
        if not words and self._table.value is None:
            return
        wanted = self._parsed.get(words)
        if wanted is None:
            wanted = self._parsed[words] = tuple(map(forwards.parse, words))
        check_addresses(config, wanted)
        self._table.get().hold_for_profile(pool, user, wanted, report)

    def hold_for_target(self, pool: TargetPool, target: Target, report: Callable[[str], None]) -> None:
        """Hold the forwards in the target's own configuration for as long as it is connected. Raises SetupError."""
        if target.forwards.forwards:
            self._table.get().hold_for_target(pool, target.forwards, report)

    def held(
        self, pool: TargetPool, connection: HeldConnection, wanted: Sequence[Forward], report: Callable[[str], None]
    ) -> AbstractContextManager[FailureReport]:
        """Hold forwards over that connection while a command runs, and return what reports their failures. Raises
        SetupError."""
        owner = FailureReport()
        return self._table.get().held(pool, connection, wanted, report, owner) if wanted else nullcontext(owner)

    def add(self, pool: TargetPool, wanted: Sequence[Forward]) -> list[str]:
        """Add forwards for as long as the target is connected, and return a line about each. Raises SetupError."""
        return self._table.get().add(pool, wanted) if wanted else []

    def remove(self, pool: TargetPool, unwanted: Sequence[Forward]) -> list[str]:
        """End forwards, whoever asked for them, and return a line about each. Raises SetupError for one that does not
        exist."""
        return self._table.get().remove(pool, unwanted) if unwanted else []

    def watch(self, pool: TargetPool) -> PortWatch:
        """The watch that forwards the ports which commands of the target listen on."""
        return self._table.get().watch(pool)

    def report(self, pool: TargetPool) -> list[dict[str, object]]:
        """The forwards of a target, in the form that PROTOCOL.md specifies."""
        return [] if self._table.value is None else self._table.value.report(pool)

    def close(self) -> None:
        """End all forwards, since the control master ends."""
        if self._table.value is not None:
            self._table.value.close()


def _table(directory: str) -> ForwardTable:
    from rdo.forward.forward_table import ForwardTable

    return ForwardTable(directory)


def wanted(words: Sequence[bytes]) -> Sequence[Forward]:
    """The forwards that -L, -R and -D ask for; each word begins with that letter. Raises UsageError."""
    return [parse(word[1:], f"-{word[0]}") for word in map(fsdecode, words)]


def parse(word: str, option: str = "") -> Forward:
    """Parse a forward given on the command line as the value of that option. Raises UsageError."""
    typed = f"{option} {word}" if option else word
    try:
        forward = PARSERS[option](word)
    except InvalidForward as error:
        raise UsageError(f"`{typed}` {error}", "", f"see `{'rdo' if option else 'rdoctl forward'} --help`") from None
    if not forward.listen.is_loopback:
        own, key = OWN_PLACES[forward.kind]
        raise UsageError(
            f"`{typed}` would open the port to other machines", f"it is allowed only in {own}", f"write {key}"
        )
    return forward


IN_SSH = "your own ssh configuration"

OWN_PLACES = {
    ForwardKind.LOCAL: ("your own config file", "`forward = [...]` into `~/.config/rdo/config.toml`"),
    ForwardKind.REMOTE: (IN_SSH, "RemoteForward"),
    ForwardKind.DYNAMIC: (IN_SSH, "DynamicForward"),
}
"""Where users may open a port to other machines, and how."""

PARSERS = {"": forwards.parse, "-L": forwards.parse, "-R": forwards.parse_remote, "-D": forwards.parse_dynamic}


def check_addresses(config: Config, wanted: Sequence[Forward]) -> None:
    """Raise ConfigError if anything but the user's own file opens a port to other machines."""
    origin = config.origins["forward"]
    if origin.file == config.user_file:
        return
    for word, forward in zip(config.settings.forward, wanted, strict=True):
        if not forward.listen.is_loopback:
            why = f"`forward` has `{word}`, which would open the port to other machines"
            raise origin.error(why, "leave the address out, or set it in your own `~/.config/rdo/config.toml`")
