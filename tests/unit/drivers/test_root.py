"""Tests for a root whose remote path begins at the login directory."""

from __future__ import annotations

import pytest

from rdo.drivers.root import Root


@pytest.mark.parametrize(
    ("remote", "home", "expected"),
    [
        ("~", "/home/me", "/home/me"),
        ("~/src", "/home/me", "/home/me/src"),
        ("~/src", "/", "/src"),
        ("/srv/~/src", "/home/me", "/srv/~/src"),
        ("~other", "/home/me", "~other"),
    ],
)
def test_only_a_leading_tilde_means_the_login_directory(remote: str, home: str, expected: str) -> None:
    assert Root("/here", remote, "note", shared=False).below(home) == Root("/here", expected, "note", shared=False)
