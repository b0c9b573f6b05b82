"""`driver = "local"`: this machine as the target, with nothing to connect to."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from rdo.drivers.root import Root

if TYPE_CHECKING:
    from rdo.drivers.caller import Caller
    from rdo.drivers.local.target import LocalTarget


class LocalDriver:
    """`driver = "local"`: commands run on this machine, over the same pipeline as elsewhere but with no network in
    between."""

    target = "local"
    switches_user = False

    def __init__(self, root: str, directory: str | None) -> None:
        self._root = Root(root, directory or root)

    def roots(self) -> Sequence[Root]:
        """The project's directory maps to itself, unless `directory` names another one."""
        return [self._root]

    def unmapped_error(self, directory: str) -> None:
        """See base.Driver."""

    def sharing(self) -> str:
        """See base.Driver."""
        return ""

    def selector(self, caller: Caller) -> Hashable:
        """See base.Driver: what a program inherits from its caller."""
        return self.resolve(caller).key

    def resolve(self, caller: Caller) -> LocalTarget:
        """See base.Driver."""
        from rdo.drivers.local.caller_context import CallerContext
        from rdo.drivers.local.target import LocalTarget

        return LocalTarget(CallerContext.of(caller))
