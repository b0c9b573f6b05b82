"""Opens a driver's connection for one caller, without a pool."""

from __future__ import annotations

from typing import Protocol, TypeVar

from rdo.drivers.caller import Caller

ConnectionType = TypeVar("ConnectionType", covariant=True)


class _Target(Protocol[ConnectionType]):
    def connect(self, caller: Caller) -> ConnectionType: ...


class _Driver(Protocol[ConnectionType]):
    def resolve(self, caller: Caller) -> _Target[ConnectionType]: ...


def connected(driver: _Driver[ConnectionType], caller: Caller) -> ConnectionType:
    """A new connection to the driver's target."""
    return driver.resolve(caller).connect(caller)
