"""The tools that editors are set up for: how each is started, what its messages look like, and which files mention it.
Pure.

A shim is started instead of a tool. That works for programs that run a tool and read its output. It does not work for
those that pass files of an editor's extension to the tool (the test views of VS Code load a reporter from there), or
communicate with it over a further descriptor (`eslint.runtime`) or in a framed protocol, in which no path may change
its length (language servers).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from rdo.cli.ide.draft import Read
from rdo.errors import UsageError
from rdo.shims import script as shim


class Messages(Enum):
    """The form of a tool's messages."""

    NONE = "none"
    GCC = "gcc"
    TRACEBACK = "traceback"
    PYTEST = "pytest"
    RUFF = "ruff"
    MYPY = "mypy"
    STYLISH = "stylish"
    TSC = "tsc"
    JEST = "jest"
    RUSTC = "rustc"
    GO = "go"


class ToolGroup(Enum):
    """The purpose of a tool."""

    BUILD = "build"
    TEST = "test"
    LINT = "lint"
    RUN = "run"


FILE = "{file}"
"""Stands for the file that is open in the editor."""


@dataclass(frozen=True)
class Tool:
    """`shim` is the name of the executable, which the target finds by its PATH."""

    name: str
    group: ToolGroup
    messages: Messages
    arguments: Sequence[str] = ()
    shim: str = ""

    @property
    def executable(self) -> str:
        return self.shim or self.name

    @property
    def line(self) -> Sequence[str]:
        """The command line that starts the tool."""
        return (self.executable, *self.arguments)


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("make", ToolGroup.BUILD, Messages.GCC),
        Tool("cmake", ToolGroup.BUILD, Messages.GCC, ("--build", "build")),
        Tool("ctest", ToolGroup.TEST, Messages.GCC, ("--test-dir", "build", "--output-on-failure")),
        Tool("cargo", ToolGroup.BUILD, Messages.RUSTC, ("build",)),
        Tool("go", ToolGroup.BUILD, Messages.GO, ("build", "./...")),
        Tool("python", ToolGroup.RUN, Messages.TRACEBACK, (FILE,)),
        Tool("pytest", ToolGroup.TEST, Messages.PYTEST),
        Tool("ruff", ToolGroup.LINT, Messages.RUFF, ("check", "--output-format=concise")),
        Tool("mypy", ToolGroup.LINT, Messages.MYPY, (".",)),
        Tool("npm", ToolGroup.TEST, Messages.NONE, ("test",)),
        Tool("node", ToolGroup.RUN, Messages.NONE, (FILE,)),
        Tool("tsc", ToolGroup.BUILD, Messages.TSC, ("tsc", "--noEmit", "--pretty", "false"), shim="npx"),
        Tool("eslint", ToolGroup.LINT, Messages.STYLISH, ("eslint", "."), shim="npx"),
        Tool("jest", ToolGroup.TEST, Messages.JEST, ("jest",), shim="npx"),
    )
}

PYTHON = ("pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "requirements.txt", "requirements-dev.txt")
"""Files that only a Python project has."""

EVIDENCE: dict[str, dict[tuple[str, ...], str]] = {
    "make": {("GNUmakefile", "makefile", "Makefile"): ""},
    "cmake": {("CMakeLists.txt",): ""},
    "ctest": {("CMakeLists.txt",): r"enable_testing|include\s*\(\s*CTest"},
    "cargo": {("Cargo.toml",): ""},
    "go": {("go.mod",): ""},
    "python": {PYTHON: ""},
    "pytest": {("pytest.ini", "conftest.py", "tests/conftest.py"): "", PYTHON: r"\bpytest\b"},
    "ruff": {("ruff.toml", ".ruff.toml"): "", PYTHON: r"\bruff\b"},
    "mypy": {("mypy.ini", ".mypy.ini"): "", PYTHON: r"\bmypy\b"},
    "node": {("package.json",): ""},
    "npm": {("package.json",): r'"test"\s*:'},
    "tsc": {("tsconfig.json",): "", ("package.json",): r'"typescript"\s*:'},
    "eslint": {("package.json",): r'"eslint"\s*:'},
    "jest": {("package.json",): r'"jest"\s*:'},
}
"""For each tool, the files that may mention it, and the text by which they do."""


def used(read: Read) -> list[str]:
    """The names of the tools that a project's files mention, in the order of EVIDENCE. Only for suggestions."""
    return [name for name, evidence in EVIDENCE.items() if any(_says(read, *each) for each in evidence.items())]


def _says(read: Read, files: tuple[str, ...], pattern: str) -> bool:
    return any(text is not None and re.search(pattern, text) for text in map(read, files))


def named(names: Iterable[str]) -> list[Tool]:
    """The tools of these names. An unknown one is run as it is, without arguments. Raises UsageError."""
    found = []
    for name in dict.fromkeys(names):
        if why := shim.refusal(name):
            raise UsageError(f"`{name}` is not a valid tool name", why, "name it as it is typed, such as `pytest`")
        found.append(TOOLS.get(name) or Tool(name, ToolGroup.RUN, Messages.GCC))
    return found


def executables(tools: Iterable[Tool]) -> list[str]:
    """The shims that these tools need, each once."""
    return list(dict.fromkeys(tool.executable for tool in tools))
