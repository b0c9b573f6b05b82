"""Loads what the control master may need and has not needed yet: after an upgrade in place that would be another's.

That is done once the first command is on its way, which it would only hold up.
"""

from __future__ import annotations

import importlib
import pkgutil

import rdo
from rdo import drivers, fault

NEVER = frozenset({"__main__", "amalgamation", "cli", "client", "own_host", "rsh", "running_command"})
"""What only clients load."""

FAMILIES = {"docker": ("docker",), "local": ("local",), "ssh": ("ssh",), "vagrant": ("ssh", "vagrant")}
"""Of each driver; those of the others load libraries that are large and not needed."""


def load_rest(driver: str) -> None:
    """Load every module of rdo that a master with that driver has use for. Raises nothing."""
    names = [f"rdo.{name}" for name in _names(rdo.__path__) if name not in NEVER]
    names += [f"rdo.drivers.{name}" for name in _names(drivers.__path__) if family(name) in FAMILIES.get(driver, ())]
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            fault.keep(error)


def family(name: str) -> str:
    """The driver that a module of rdo.drivers is for."""
    return next((each for each in FAMILIES if each != "ssh" and name.startswith(each)), "ssh")


def _names(path: list[str]) -> list[str]:
    return [module.name for module in pkgutil.iter_modules(path)]
