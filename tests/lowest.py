"""The oldest releases of what rdo needs, by pyproject.toml: `python tests/lowest.py` prints them, one a line, for pip.

For `make lowest`, so that what pyproject.toml says of them stays true. What only the tests need is the same as ever, as
requirements-dev.lock has it.
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
    """Each dependency at its lower bound. Raises ValueError for one that has none."""
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
