"""The oldest releases of what rdo needs, by pyproject.toml: `python tests/lowest.py` prints them, one a line, for pip.

For `make lowest`, so that what pyproject.toml says of them stays true.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
BOUND = re.compile(r"(?P<name>[\w.-]+)>=(?P<version>[\d.]+)(,<[\d.]+)?(?P<marker>;.*)?")


def pins(dependencies: list[str]) -> list[str]:
    """Each dependency at its lower bound. Raises ValueError for one that has none."""
    found = [(each, BOUND.fullmatch(each.replace("; ", ";"))) for each in dependencies]
    without = [each for each, bound in found if bound is None]
    if without:
        raise ValueError(f"no lower bound: {', '.join(without)}")
    return [f"{bound['name']}=={bound['version']}{bound['marker'] or ''}" for _, bound in found if bound]


if __name__ == "__main__":
    print(*pins(tomllib.loads(PROJECT.read_text())["project"]["dependencies"]), sep="\n")
