"""Tests for requirements-dev.lock: complete, for every Python, from no particular index; and for tests/lowest.py."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests import lowest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TOP = Path(__file__).parents[2]
LOCK = (TOP / "requirements-dev.lock").read_text()
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
DEPENDENCIES: list[str] = sum(PROJECT["optional-dependencies"].values(), PROJECT["dependencies"])

LINE = re.compile(r"(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[0-9][0-9a-z.]*)( ; (?P<marker>[^;#]+))?")


def lines() -> list[str]:
    return [line for line in LOCK.splitlines() if not line.lstrip().startswith("#")]


def test_each_line_names_one_release_and_no_index() -> None:
    assert [line for line in lines() if not LINE.fullmatch(line)] == []


@pytest.mark.parametrize("dependency", [each for each in DEPENDENCIES if not each.startswith("rdo[")])
def test_it_has_every_dependency(dependency: str) -> None:
    name = re.split(r"[^\w-]", dependency)[0].lower()
    assert [line for line in lines() if line.startswith(f"{name}==")]


def test_it_is_for_the_oldest_python_and_for_the_newest() -> None:
    markers = {found["marker"] for line in lines() if (found := LINE.fullmatch(line))}
    assert "python_full_version < '3.11'" in markers
    assert "python_full_version >= '3.11'" in markers


def test_the_lowest_releases_are_the_lower_bounds_of_the_dependencies() -> None:
    assert lowest.pins(["a>=1.2,<3", "b.c>=4; python_version < '3.11'"]) == ["a==1.2", "b.c==4;python_version < '3.11'"]
    with pytest.raises(ValueError, match="no lower bound: d<2"):
        lowest.pins(["a>=1", "d<2"])
    assert lowest.pins(PROJECT["dependencies"])


def test_the_lowest_releases_are_tried_with_the_locked_tools() -> None:
    lock = "pytest==9.2.0\npytest-cov==7.1.0\nclick==8.5.1\n    # via pytest\n"
    assert lowest.locked(lock, ["pytest>=8", "Pytest-Cov>=5"]) == ["pytest==9.2.0", "pytest-cov==7.1.0"]
