"""Imports go downward only, each library has one owner, and the client needs next to nothing: read from the sources.

A new module fails here until it has its place in LAYERS.
"""

from __future__ import annotations

import ast
import graphlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "rdo"

LAYERS: tuple[tuple[str, ...], ...] = (  # bottom first; a module may import from its own layer and those above it here
    ("rdo", "rdo.address", "rdo.charset", "rdo.display", "rdo.errors", "rdo.lines", "rdo.wording"),
    # the client: hot path
    (
        "rdo.argv",
        "rdo.client",
        "rdo.control",
        "rdo.discovery",
        "rdo.foreground",
        "rdo.launch",
        "rdo.output",
        "rdo.protocol",
        "rdo.request",
        "rdo.running_command",
        "rdo.splice",
        "rdo.statusline",
        "rdo.stdin",
        "rdo.tty",
    ),
    ("rdo.drivers.base",),
    # pure
    ("rdo.document", "rdo.jsonc", "rdo.kinds", "rdo.settings"),
    ("rdo.ini", "rdo.layers", "rdo.legacy", "rdo.slip", "rdo.tables", "rdo.validation"),
    ("rdo.mapping", "rdo.modes", "rdo.output_map", "rdo.plan", "rdo.remote_roots", "rdo.remote_sh", "rdo.remote_sh.*"),
    ("rdo.shim", "rdo.ssh_argv"),
    (
        "rdo.circumstances",
        "rdo.daemon",
        "rdo.fault",
        "rdo.io_priority",
        "rdo.own_directory",
        "rdo.ownership",
        "rdo.parent_environment",
        "rdo.prefix_assignment",
        "rdo.process_name",
        "rdo.small_file",
        "rdo.state",
        "rdo.tally",
        "rdo.thread",
        "rdo.whole_file",
    ),
    ("rdo.config", "rdo.grant", "rdo.trust", "rdo.trust_prompt"),
    ("rdo.drivers", "rdo.drivers.*"),
    # over any driver
    (
        "rdo.gardener",
        "rdo.lifeline",
        "rdo.link",
        "rdo.links",
        "rdo.login_directory",
        "rdo.pools",
        "rdo.shell",
        "rdo.shells",
        "rdo.warm_shells",
    ),
    # the control master
    (
        "rdo.acceptor",
        "rdo.conversation",
        "rdo.gate",
        "rdo.input",
        "rdo.leftovers",
        "rdo.lifetime",
        "rdo.listener",
        "rdo.mapped_output",
        "rdo.output_relay",
        "rdo.peer",
        "rdo.preload",
        "rdo.progress",
        "rdo.session",
        "rdo.signal_watch",
    ),
    ("rdo.target", "rdo.worktree"),
    ("rdo.master",),
    # what a person sees that may be slow
    ("rdo.cli", "rdo.cli.*", "rdo.fallback", "rdo.hint", "rdo.inside", "rdo.usage"),
    ("rdo.__main__",),
    ("rdo.own_host", "rdo.rsh"),
)

CLIENT = (*LAYERS[1], "rdo", "rdo.errors", "rdo.__main__")

FREE = {"_signal", "_stat", "_thread", "errno", "posix", "sys", "time"}
"""Standard modules that are part of the interpreter. `os` is not: without `site`, nobody else loads it."""

CHEAP = FREE | {"_socket", "fcntl", "select", "termios"}
"""What the client may import as it is loaded: a millisecond each at most. `typing` alone takes 15."""

UNHURRIED = {"rdo.launch", "rdo.statusline"}
"""Of the client, what only a first or a slow command loads."""

OWNERS = {
    "click": ("rdo.cli", "rdo.cli.*"),
    "cryptography": ("rdo.drivers.*",),
    "docker": ("rdo.drivers.docker*",),
    "paramiko": ("rdo.drivers.*",),
    "rich": ("rdo.cli.overview",),
    "requests": ("rdo.drivers.docker*",),
    "tomli": ("rdo.config",),
    "tomllib": ("rdo.config",),
    "urllib3": ("rdo.drivers.docker*",),
    "yaml": ("rdo.cli.yaml_nodes",),
}

STRANGERS = {
    "cryptography": ("rdo.drivers.base", "rdo.drivers.docker*", "rdo.drivers.local"),
    "paramiko": ("rdo.drivers.base", "rdo.drivers.docker*", "rdo.drivers.local"),
}
"""Exceptions from OWNERS."""


@dataclass(frozen=True)
class Import:
    """One name that a module imports; `at_load` unless inside a function or for type checkers only."""

    name: str
    at_load: bool


def sources() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


SOURCES = sources()


def imports(module: str) -> list[Import]:
    """All imports of a module, in the order they stand."""
    return list(walk(ast.parse(SOURCES[module].read_text()), at_load=True))


def walk(node: ast.AST, *, at_load: bool) -> Iterator[Import]:
    """The imports below a node of the syntax tree."""
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, at_load) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, "relative imports hide where they go"
        for alias in node.names:
            name = f"{node.module}.{alias.name}"
            yield Import(name if name in SOURCES else str(node.module), at_load)
    deferred = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    for child in ast.iter_child_nodes(node):
        yield from walk(child, at_load=at_load and not deferred and not typing_only)


def matches(module: str, patterns: tuple[str, ...]) -> bool:
    """Whether a module is named by one of the patterns."""
    return any(fnmatch(module, pattern) for pattern in patterns)


def layer(module: str) -> int:
    """A module's layer, counted from the bottom: the first that names it. Fails if none does."""
    for number, patterns in enumerate(LAYERS):
        if matches(module, patterns):
            return number
    pytest.fail(f"`{module}` has no layer yet: give it its place in LAYERS, {Path(__file__).name}", pytrace=False)


@pytest.mark.parametrize("module", SOURCES)
def test_a_module_imports_nothing_from_a_layer_above_its_own(module: str) -> None:
    own = layer(module)
    upward = [each.name for each in imports(module) if each.name in SOURCES and layer(each.name) > own]
    assert upward == []


def test_no_module_needs_itself_to_load() -> None:
    needs = {
        module: {each.name for each in imports(module) if each.at_load and each.name in SOURCES} - {module}
        for module in SOURCES
    }
    graphlib.TopologicalSorter(needs).prepare()


@pytest.mark.parametrize("module", SOURCES)
def test_a_library_is_imported_only_where_it_belongs(module: str) -> None:
    libraries = {each.name.partition(".")[0] for each in imports(module)} - {"rdo"}
    strange = {
        library
        for library in libraries
        if (library in OWNERS or library not in sys.stdlib_module_names)
        and (not matches(module, OWNERS.get(library, ())) or matches(module, STRANGERS.get(library, ())))
    }
    assert strange == set()


@pytest.mark.parametrize("module", [module for module in SOURCES if module in CLIENT])
def test_the_client_loads_only_what_is_cheap(module: str) -> None:
    loaded = {each.name for each in imports(module) if each.at_load}
    allowed = CHEAP | {"os"} if module in UNHURRIED else CHEAP
    assert loaded - allowed - set(CLIENT) == set()


def test_the_package_itself_imports_nothing() -> None:
    assert imports("rdo") == []
