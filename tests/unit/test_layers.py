"""Checks the imports in the sources: layers import only from those below, and each library has one owner.

The layers are the packages of rdo, and its modules that are in none; docs/architecture.md lists them in order.
"""

from __future__ import annotations

import ast
import functools
import graphlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not

PACKAGE = Path(__file__).parents[2] / "rdo"

ARCHITECTURE = PACKAGE.parent / "docs" / "architecture.md"

OWNERS = {
    "_sha2": ("rdo.util.digest",),
    "_sha256": ("rdo.util.digest",),
    "click": ("rdo.cli.*",),
    "cryptography": ("rdo.drivers.ssh.*",),
    "docker": ("rdo.drivers.docker.credentials",),
    "paramiko": ("rdo.drivers.ssh.*",),
    "tomli": ("rdo.config.toml",),
    "tomllib": ("rdo.config.toml",),
    "watchfiles": ("rdo.sync.fsevents",),
    "yaml": ("rdo.cli.init.compose_file",),
}

DRIVERS = {"docker": {"docker"}, "local": {"local"}, "ssh": {"ssh"}, "vagrant": {"ssh", "vagrant"}}
"""What the package of each driver may use of the libraries and modules of all."""


@dataclass(frozen=True)
class Import:
    """A name that a module imports. `at_load` is false inside a function or for type checkers only."""

    name: str
    at_load: bool


def sources() -> dict[str, Path]:
    """Every module of the package, by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


SOURCES = sources()


@functools.cache
def imports(module: str) -> list[Import]:
    """All imports of a module, in order."""
    return list(walk(ast.parse(SOURCES[module].read_text()), at_load=True))


def walk(node: ast.AST, *, at_load: bool) -> Iterator[Import]:
    """The imports below a node of the syntax tree. Imports are statements, so expressions are skipped."""
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, at_load) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, "relative imports hide where they go"
        for alias in node.names:
            name = f"{node.module}.{alias.name}"
            yield Import(name if name in SOURCES else str(node.module), at_load)
    deferred = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from walk(child, at_load=at_load and not deferred and not typing_only)


def matches(module: str, patterns: tuple[str, ...]) -> bool:
    """Whether one of the patterns matches a module."""
    return any(fnmatch(module, pattern) for pattern in patterns)


def layer(module: str) -> str:
    """The package of rdo that a module is in, or the module itself if it is in none."""
    return module.split(".")[1]


def layers() -> list[str]:
    """All layers from the bottom up, as listed in docs/architecture.md."""
    return re.findall(r"^\d+\. `(\w+)`: ", ARCHITECTURE.read_text(), re.MULTILINE)


def test_the_documented_layers_are_all_layers() -> None:
    assert sorted(layers()) == sorted({layer(module) for module in SOURCES.keys() - {"rdo"}})


@pytest.mark.parametrize("package", layers())
def test_a_package_imports_only_from_those_below_it(package: str) -> None:
    order = layers()
    allowed = order[: order.index(package) + 1]
    above = {
        f"{module} imports {each.name}"
        for module in SOURCES.keys() - {"rdo"}
        if layer(module) == package
        for each in imports(module)
        if each.name in SOURCES.keys() - {"rdo"} and layer(each.name) not in allowed
    }
    assert above == set()


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_imports_no_other(driver: str) -> None:
    used = {
        each.name.split(".")[2]
        for module in SOURCES
        if module.startswith(f"rdo.drivers.{driver}.")
        for each in imports(module)
        if each.name.startswith("rdo.drivers.")
    }
    assert used & DRIVERS.keys() <= DRIVERS[driver]


def test_no_module_imports_itself_while_loading() -> None:
    needs = {
        module: {each.name for each in imports(module) if each.at_load and each.name in SOURCES} - {module}
        for module in SOURCES
    }
    graphlib.TopologicalSorter(needs).prepare()


def test_a_library_is_imported_only_where_it_belongs() -> None:
    strange = {
        f"{module} imports {library}"
        for module in SOURCES
        for library in {each.name.partition(".")[0] for each in imports(module)} - {"rdo"}
        if (library in OWNERS or library not in sys.stdlib_module_names)
        and not matches(module, OWNERS.get(library, ()))
    }
    assert strange == set()


def test_the_package_itself_imports_nothing() -> None:
    assert imports("rdo") == []
