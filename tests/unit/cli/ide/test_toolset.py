"""Tests for which tools are suggested by the files of a project."""

from __future__ import annotations

import pytest

from rdo.cli.ide import toolset
from rdo.cli.ide.toolset import TOOLS


@pytest.mark.parametrize(
    ("files", "names"),
    [
        pytest.param({}, [], id="none"),
        pytest.param({"Makefile": ""}, ["make"], id="make"),
        pytest.param({"CMakeLists.txt": "enable_testing()"}, ["cmake", "ctest"], id="cmake with tests"),
        pytest.param({"CMakeLists.txt": ""}, ["cmake"], id="cmake"),
        pytest.param({"Cargo.toml": "", "go.mod": ""}, ["cargo", "go"], id="Rust and Go"),
        pytest.param({"pyproject.toml": "[tool.pytest.ini_options]\n"}, ["python", "pytest"], id="pytest"),
        pytest.param({"setup.cfg": "[mypy]", "ruff.toml": ""}, ["python", "ruff", "mypy"], id="mypy and ruff"),
        pytest.param({"tox.ini": "deps = pytest-cov"}, ["python", "pytest"], id="tox"),
        pytest.param({"package.json": '{"scripts": {"test": "x"}}'}, ["node", "npm"], id="npm"),
        pytest.param(
            {"package.json": '{"devDependencies": {"jest": "1", "eslint" : "9", "typescript": "5"}}'},
            ["node", "tsc", "eslint", "jest"],
            id="tools of node",
        ),
    ],
)
def test_the_tools_are_those_that_files_suggest(files: dict[str, str], names: list[str]) -> None:
    assert toolset.used(files.get) == names


def test_each_of_them_is_known() -> None:
    assert set(toolset.EVIDENCE) == set(TOOLS)
