"""Loads the modules that the control master may still need: after an upgrade in place, they would come from another
release.

This happens once the first command is under way, so as not to delay it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from rdo.util import log

PACKAGES = ("config", "forward", "ipc", "master", "paths", "pool", "remote_sh", "sync", "trust", "util")
"""The packages that any master may need, whatever its drivers."""

DRIVERS = {"docker": ("docker",), "local": ("local",), "ssh": ("ssh",), "vagrant": ("ssh", "vagrant")}
"""The packages of each driver. Those of other drivers would load large libraries in vain."""


def load_rest(drivers: Iterable[str]) -> None:
    """Load every module of rdo that a master with those drivers may need. Never raises."""
    for name in (*PACKAGES, *(f"drivers.{each}" for driver in drivers for each in DRIVERS.get(driver, ()))):
        _load(f"rdo.{name}")


def _load(name: str) -> None:
    import pkgutil  # takes a while to load

    try:
        module = importlib.import_module(name)
    except Exception as error:
        log.crash(error)
        return
    for found in pkgutil.iter_modules(getattr(module, "__path__", ())):
        _load(f"{name}.{found.name}")
