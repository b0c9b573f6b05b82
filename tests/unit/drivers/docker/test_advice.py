"""Checks that each error of the docker driver before a command runs says what to type next."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from rdo.drivers import docker

KINDS = ("ConfigError", "ConnectError", "SetupError")

MODULES = sorted(Path(docker.__path__[0]).glob("*.py"))


def without_hint(tree: ast.AST) -> list[int]:
    """The lines of errors that are created without a hint, or with an empty one."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
            hint = node.args[2] if len(node.args) > 2 else next((each.value for each in node.keywords), None)
            if hint is None or (isinstance(hint, ast.Constant) and not hint.value):
                found.append(node.lineno)
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_each_error_has_a_next_step(module: Path) -> None:
    assert without_hint(ast.parse(module.read_text())) == []


def test_an_error_without_one_is_found() -> None:
    source = 'ConnectError("a", "b", "c")\nConnectError("a")\nSetupError("a", hint="b")\nConfigError("a", "b", "")\n'
    assert without_hint(ast.parse(source)) == [2, 4]
