"""Loads what the control master may need and has not needed yet: after an upgrade in place that would be another's.

That is done once the first command is on its way, which it would only hold up.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from rdo.util import log

PACKAGES = ("config", "forward", "ipc", "master", "paths", "pool", "remote_sh", "sync", "trust", "util")
"""All that a master may use, whatever its driver."""

DRIVERS = {"docker": ("docker",), "local": ("local",), "ssh": ("ssh",), "vagrant": ("ssh", "vagrant")}
"""The packages of each driver; those of the others load libraries that are large and not needed."""


def load_rest(drivers: Iterable[str]) -> None:
    """Load every module of rdo that a master with those drivers has use for. Raises nothing."""
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
