"""Prints the oldest releases that pyproject.toml allows, one on each line, for pip: `python tests/lowest.py`.

`make lowest` uses them to check that the lower bounds in pyproject.toml are correct. What only the tests need has the
release that requirements-dev.lock names.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TOP = Path(__file__).parents[1]
NAME = re.compile(r"[\w.-]+")
BOUND = re.compile(r"(?P<name>[\w.-]+)>=(?P<version>[\d.]+)(,<[\d.]+)?(?P<marker>;.*)?")


def pins(dependencies: list[str]) -> list[str]:
    """Each dependency at its lower bound. Raises ValueError for a dependency without one."""
    found = [(each, BOUND.fullmatch(each.replace("; ", ";"))) for each in dependencies]
    without = [each for each, bound in found if bound is None]
    if without:
        raise ValueError(f"no lower bound: {', '.join(without)}")
    return [f"{bound['name']}=={bound['version']}{bound['marker'] or ''}" for _, bound in found if bound]


def locked(lock: str, dependencies: list[str]) -> list[str]:
    """The lines of a lock file for these dependencies."""
    names = {found[0].lower() for each in dependencies if (found := NAME.match(each))}
    return [line for line in lock.splitlines() if (found := NAME.match(line)) and found[0] in names]


if __name__ == "__main__":
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    needed = {line.partition("==")[0] for line in pins(project["dependencies"])}
    tools = [each for each in project["optional-dependencies"]["test"] if each.partition(">")[0] not in needed]
    lock = (TOP / "requirements-dev.lock").read_text()
    print(*pins(project["dependencies"]), *locked(lock, tools), sep="\n")
