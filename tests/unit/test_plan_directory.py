"""Tests for the directory that the option `--dir` names."""

from __future__ import annotations

import re

import pytest

from rdo.config.schema import Settings
from rdo.errors import RdoError
from tests.unit.test_plan import make, request


@pytest.mark.parametrize(
    ("given", "directory"),
    [(b"~", "."), (b"~/", "."), (b"~/a b", "a b"), (b"~//a/", "a"), (b"./~", "./~"), (b"a/~", "a/~"), (b"/~", "/~")],
)
def test_a_tilde_is_the_login_directory(given: bytes, directory: str) -> None:
    assert make(request(b"ls", remote_directory=given)).script.directory == directory


@pytest.mark.parametrize(
    ("given", "driver", "error"),
    [
        (b"~me/x", "ssh", "`--dir ~me/x` is in the home directory of another user; write an absolute path"),
        (
            b"~/x",
            "docker",
            "`--dir ~/x` is relative to the login directory: a container has none; write an absolute path",
        ),
    ],
)
def test_a_tilde_that_is_not_the_login_directory_is_an_error(given: bytes, driver: str, error: str) -> None:
    with pytest.raises(RdoError, match=f"^{re.escape(error)}$"):
        make(request(b"ls", remote_directory=given), Settings(driver=driver))
