"""Checks pyproject's list of modules with full branch coverage: it has all modules that claim to be pure."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TOP = Path(__file__).parents[2]
LISTED: list[str] = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["coverage"]["run"]["include"]


def says_it_is_pure(path: Path) -> bool:
    text = path.read_text()
    return "Pure" in text and bool(re.search(r"\bPure\b", ast.get_docstring(ast.parse(text)) or ""))


def test_each_module_that_says_it_is_pure_is_listed() -> None:
    modules = [path for path in (TOP / "rdo").rglob("*.py") if path.name != "__init__.py"]
    pure = {str(path.relative_to(TOP)) for path in modules if says_it_is_pure(path)}
    assert pure - set(LISTED) == set()


def test_the_list_is_sorted_and_names_only_existing_modules() -> None:
    assert sorted(set(LISTED)) == LISTED
    assert [name for name in LISTED if not (TOP / name).is_file()] == []


def test_each_listed_module_is_loaded_so_that_one_without_tests_is_noticed() -> None:
    for name in LISTED:
        importlib.import_module(name.removesuffix(".py").replace("/", "."))
