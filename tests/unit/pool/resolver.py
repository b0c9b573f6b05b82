"""A driver whose targets are never connected, for tests of the table of targets."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import cast

from rdo.drivers.base import Driver, Target
from rdo.drivers.caller import Caller
from rdo.pool.target_pool import PoolCommand, PoolUser
from rdo.pool.target_table import TargetTable, TargetUse

TIMEOUT = 20.0
"""Seconds for something that takes no time."""

HOUR = 3600.0


class NoCaller:
    """A caller that sees no progress."""

    def __init__(self, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        self.environment = environment

    def progress(self, step: str) -> bool:
        return False


CALLER = cast(Caller, NoCaller())


def caller_with(**environment: str) -> Caller:
    return cast(Caller, NoCaller(environment))


class Host:
    """A target that is never connected."""

    driver = "ssh"

    def __init__(self, key: Hashable, name: str, found_by: str = "") -> None:
        self.key = key
        self.name = name
        self.found_by = found_by
        self.is_current = True
        self.details: dict[str, str] = {}
        self.variables_read: frozenset[str] = frozenset()
        self.released = 0

    def release(self) -> None:
        self.released += 1


class Resolver:
    """A driver that resolves each selector to the target with its key."""

    def __init__(self, selector: Hashable, key: Hashable, name: str = "devbox", found_by: str = "") -> None:
        self._selector = selector
        self.key = key
        self._name = name
        self._found_by = found_by
        self.resolved = 0

    @property
    def target(self) -> str:
        return self._name

    def selector(self, caller: Caller) -> Hashable:
        return self._selector

    def resolve(self, caller: Caller) -> Target:
        self.resolved += 1
        return cast(Target, Host(self.key, self._name, self._found_by))


class ByVariable(Resolver):
    """A driver whose target is given by the caller's variable KEYS."""

    def resolve(self, caller: Caller) -> Target:
        self.resolved += 1
        host = Host(caller.environment["KEYS"], self._name)
        host.variables_read = frozenset({"KEYS"})
        return cast(Target, host)


def use(
    table: TargetTable,
    driver: Resolver,
    config: str = "/a/.rdo.conf",
    idle_timeout: float = HOUR,
    caller: Caller = CALLER,
) -> AbstractContextManager[TargetUse]:
    command = PoolCommand("make", lambda error: None)
    return table.of(cast(Driver, driver), caller, PoolUser(config, "default"), command, idle_timeout)
