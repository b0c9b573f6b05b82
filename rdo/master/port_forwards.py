"""The forwards that commands and config files ask for. Loads what holds them when there is one: most have none."""

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
from rdo.util.made_once import MadeOnce

if TYPE_CHECKING:
    from rdo.forward.forward_table import ForwardTable
    from rdo.forward.port_watch import PortWatch


class PortForwards:
    """Those of a control master. Usable from any thread."""

    def __init__(self, directory: str) -> None:
        """`directory` is a private one, for sockets."""
        self._table = MadeOnce(partial(_table, directory))
        self._parsed: dict[tuple[str, ...], tuple[Forward, ...]] = {(): ()}

    def hold_for_profile(self, pool: TargetPool, user: PoolUser, config: Config, report: Callable[[str], None]) -> None:
        """Have what a profile asks for, for as long as its target is held. Raises ConfigError."""
        words = config.settings.forward
        if not words and self._table.made is None:
            return
        wanted = self._parsed.get(words)
        if wanted is None:
            wanted = self._parsed[words] = tuple(map(forwards.parse, words))
        check_addresses(config, wanted)
        self._table.get().hold_for_profile(pool, user, wanted, report)

    def hold_for_target(self, pool: TargetPool, target: Target, report: Callable[[str], None]) -> None:
        """Have what goes with the target by its own configuration, for as long as it is held. Raises SetupError."""
        if target.forwards.forwards:
            self._table.get().hold_for_target(pool, target.forwards, report)

    def held(
        self, pool: TargetPool, connection: HeldConnection, wanted: Sequence[Forward], report: Callable[[str], None]
    ) -> AbstractContextManager[FailureReport]:
        """Have these while a command runs over that connection, and who is to report by what. Raises SetupError."""
        owner = FailureReport()
        return self._table.get().held(pool, connection, wanted, report, owner) if wanted else nullcontext(owner)

    def add(self, pool: TargetPool, wanted: Sequence[Forward]) -> list[str]:
        """Have these, too, for as long as the target is held: a line for each. Raises SetupError."""
        return self._table.get().add(pool, wanted) if wanted else []

    def remove(self, pool: TargetPool, unwanted: Sequence[Forward]) -> list[str]:
        """End these, whoever asked for them: a line for each. Raises SetupError for one that is not there."""
        return self._table.get().remove(pool, unwanted) if unwanted else []

    def watch(self, pool: TargetPool) -> PortWatch:
        """What has the ports here that commands of the target listen on."""
        return self._table.get().watch(pool)

    def report(self, pool: TargetPool) -> list[dict[str, object]]:
        """Those of a target, as PROTOCOL.md has them."""
        return [] if self._table.made is None else self._table.made.report(pool)

    def close(self) -> None:
        """The control master ends."""
        if self._table.made is not None:
            self._table.made.close()


def _table(directory: str) -> ForwardTable:
    from rdo.forward.forward_table import ForwardTable

    return ForwardTable(directory)


def wanted(words: Sequence[bytes]) -> Sequence[Forward]:
    """What -L, -R and -D ask for: each word begins with the letter. Raises UsageError."""
    return [parse(word[1:], f"-{word[0]}") for word in map(fsdecode, words)]


def parse(word: str, option: str = "") -> Forward:
    """What was typed on a command line, after that option. Raises UsageError."""
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
    """Only the user's own file may open a port to other machines. Raises ConfigError."""
    origin = config.origins["forward"]
    if origin.file == config.user_file:
        return
    for word, forward in zip(config.settings.forward, wanted, strict=True):
        if not forward.listen.is_loopback:
            why = f"`forward` has `{word}`, which would open the port to other machines"
            raise origin.error(why, "leave the address out, or set it in your own `~/.config/rdo/config.toml`")
