"""Which tools a project uses, by its files. Reads, and runs nothing; a light look at the text, for suggestions only."""

from __future__ import annotations

import re

from rdo.cli.init.survey import read

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
"""For each tool: the files that may speak of it, and what one of them says then."""


def tools(directory: str) -> list[str]:
    """The names of the tools that the files of this directory speak of, in the order of EVIDENCE."""
    return [name for name, evidence in EVIDENCE.items() if any(_says(directory, *each) for each in evidence.items())]


def _says(directory: str, files: tuple[str, ...], pattern: str) -> bool:
    texts = [read(directory, file) for file in files]
    return any(text is not None and re.search(pattern, text) for text in texts)
