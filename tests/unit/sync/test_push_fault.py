"""Tests for the error that the user sees when a push fails."""

from __future__ import annotations

import pytest

from rdo.errors import RdoError
from rdo.sync.entry import Entry
from rdo.sync.opened import TargetDirectory
from rdo.sync.push_fault import check_case, link_on_the_way, push_fault

PLACE = TargetDirectory("/srv/app", "devbox", "id")


@pytest.mark.parametrize(
    ("fault", "why", "line"),
    [
        (b"locked 42", "", "another copy is still running there, in process 42; try again, or remove"),
        (b"locked ", "", "in process unknown; try again, or remove `/srv/app/.rdo-sync/lock` there"),
        (b"fault unpack", "tar: x: No space left on device", "no space is left on its disk; free disk space there"),
        (b"fault unpack", "Disk quota exceeded", "no space is left on its disk; free disk space there"),
        (b"fault put", "mv: permission denied", "mv: permission denied; fix what is there, or use `rdo --no-sync`"),
        (b"", "", "its shell exited early; fix what is there, or use `rdo --no-sync`"),
    ],
)
def test_an_error_on_the_target_is_one_line_that_says_what_to_do(fault: bytes, why: str, line: str) -> None:
    text = str(push_fault(fault, PLACE, why))
    assert text.startswith("cannot copy files to `/srv/app` on `devbox`: ")
    assert line in text


def test_two_names_that_differ_only_in_case_are_an_error_on_some_targets() -> None:
    check_case({b"README": Entry("file"), b"src": Entry("directory")}, "devbox")
    with pytest.raises(RdoError, match="`README` and `Readme` cannot both be copied to `devbox`"):
        check_case({b"README": Entry("file"), b"Readme": Entry("file")}, "devbox")


def test_a_link_on_the_way_is_named() -> None:
    assert "`src` on `devbox`: it is a symbolic link there" in str(link_on_the_way(b"src", "devbox"))
