"""Checks the names of modules and classes: a package must not reuse the name of one of its modules, which would hide
it.
"""

from __future__ import annotations

import ast
import pkgutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import rdo

TOP = Path(rdo.__file__).parent
PACKAGES = [TOP, *(directory.parent for directory in TOP.rglob("*/__init__.py"))]


def defined(statement: ast.stmt) -> Iterator[str]:
    """The names that a top-level statement defines for something other than a module of the same package."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        yield from (node.id for node in ast.walk(statement) if isinstance(node, ast.Name))
    elif isinstance(statement, ast.ImportFrom):
        yield from (each.asname or each.name for each in statement.names)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda directory: directory.name)
def test_nothing_in_a_package_has_the_name_of_one_of_its_modules(package: Path) -> None:
    own_name = ".".join(package.relative_to(TOP.parent).parts)
    modules = {found.name for found in pkgutil.iter_modules([str(package)])}
    tree = ast.parse((package / "__init__.py").read_text())
    statements = [
        each for each in tree.body if getattr(each, "module", None) != own_name
    ]  # these import the modules themselves
    assert not modules & {name for statement in statements for name in defined(statement)}


def test_no_two_modules_define_a_class_of_the_same_name() -> None:
    trees = {path: ast.parse(path.read_text()) for path in TOP.rglob("*.py")}
    named = [
        (node.name, str(path.relative_to(TOP)))
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    ]
    counts = Counter(name for name, _ in named)
    assert sorted((name, path) for name, path in named if counts[name] > 1) == []
