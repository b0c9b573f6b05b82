"""The files of a command whose profile leaves copying to unison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rdo.errors import RdoError
from rdo.ipc import protocol
from rdo.master.client_connection import ClientConnection
from rdo.master.command_caller import WaitingCaller
from rdo.pool.shell import Shell
from rdo.remote_sh.script import Copied
from rdo.sync import unison
from rdo.sync.unison import UnisonPlace


class UnisonSync(NamedTuple):
    """Copies the files of one command. See command_sync.CommandSync."""

    client: ClientConnection
    place: UnisonPlace

    def before(self, caller: WaitingCaller) -> None:
        """Raises RdoError, ClientGone."""
        unison.run(self.place, caller)

    def copied(self, sudo: str) -> Copied | None:
        """See CommandSync: only unison knows."""
        return None

    def restore(self, shell: Shell) -> None:
        """See CommandSync. Never called."""

    def finisher(self, *, has_looked: bool) -> None:
        """See CommandSync."""

    def run_only(self, caller: WaitingCaller, words: Sequence[str]) -> None:
        """Do what `rdo --sync-only` asks for. Raises RdoError, ClientGone."""
        if words and words[0] not in ("push", "pull"):
            raise RdoError(f'`rdoctl sync {words[0]}` is for `sync = "push"`', "here, unison does it", "use `unison`")
        self.before(caller)
        self.client.send(protocol.EXIT, b"\0")
