"""Checks that docs/architecture.md lists exactly the threads and locks that rdo has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.document import TOP, Document, code_spans

PAGE = Document("docs/architecture.md")

LOCKS = ("allocate_lock", "Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore")
"""Constructors of locks. An argument would be the lock that a condition uses."""

SOURCES = {path: path.read_text() for path in sorted((TOP / "rdo").rglob("*.py"))}


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    """The calls of functions with these names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
            yield node


def trees(*words: str) -> Iterator[tuple[Path, ast.Module]]:
    """The modules that contain one of the words. Parsing all modules would take most of the time."""
    for path, text in SOURCES.items():
        if any(word in text for word in words):
            yield path, ast.parse(text)


def place(path: Path) -> str:
    return str(path.relative_to(TOP / "rdo"))


def locks() -> Iterator[tuple[str, str]]:
    """The file of each lock, and its name."""
    for path, tree in trees(*(f"{name}(" for name in LOCKS)):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
                continue
            if any("emaphore" in ast.unparse(call) or not call.args for call in calls(node.value, *LOCKS)):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                yield place(path), ast.unparse(target).removeprefix("self.")


def threads() -> Iterator[tuple[str, str]]:
    """The file that starts each thread of a control master, and the thread's name."""
    for path, tree in trees("Workers(", ".start("):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Workers":
                yield place(path), ast.literal_eval(node.args[0])
        for call in calls(tree, "start"):
            name = next((keyword.value for keyword in call.keywords if keyword.arg == "name"), None)
            if isinstance(name, ast.Constant):
                yield place(path), str(name.value)


def test_each_lock_is_in_the_list_of_locks() -> None:
    listed = [tuple(code_spans(row[0])) for row in PAGE.table("Locks")]
    assert sorted(each for each in listed if each[0].endswith(".py")) == sorted(locks())


def test_each_thread_is_in_the_list_of_threads() -> None:
    listed = [
        (name, file) for row in PAGE.table("Threads") for name in code_spans(row[0]) for file in code_spans(row[1])
    ]
    assert sorted((file, name) for name, file in listed if name != "Transport") == sorted(set(threads()))


def test_each_file_that_the_page_names_exists() -> None:
    named = {span for span in code_spans(PAGE.prose) if re.fullmatch(r"[\w./]+/[\w./]*", span)}
    assert {name for name in named if not ((TOP / name).exists() or (TOP / "rdo" / name).exists())} == set()
