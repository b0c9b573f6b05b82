"""Tests for a large file whose copy is resumed: what is sent again, and what is not accepted as its beginning."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.sync.archive import CHUNK
from rdo.sync.entry import Entry
from rdo.sync.large_file import LargeFile, Part, answer, part_name

CONTENT = bytes(range(256)) * (CHUNK // 256) + b"more than a piece"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/large").write_bytes(CONTENT)
    return tmp_path


@pytest.fixture
def file(root: Path) -> Iterator[LargeFile]:
    with contextlib.closing(LargeFile(os.fsencode(root), b"d/large")) as opened:
        yield opened


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_all_of_it_is_sent_in_pieces_if_there_is_no_part(file: LargeFile) -> None:
    assert file.skip(0, "") is False
    pieces = list(file.rest())
    assert (len(pieces), b"".join(pieces)) == (2, CONTENT)
    assert file.part("name") == Part("name", digest(CONTENT), len(CONTENT))


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, len(CONTENT)])
def test_only_the_rest_is_sent_if_its_start_is_there(file: LargeFile, size: int) -> None:
    assert file.skip(size, digest(CONTENT[:size])) is True
    assert b"".join(file.rest()) == CONTENT[size:]
    assert file.part("name") == Part("name", digest(CONTENT), len(CONTENT))


@pytest.mark.parametrize(
    ("size", "said"),
    [
        pytest.param(5, digest(b"other"), id="something else"),
        pytest.param(5, "", id="a target that cannot tell"),
        pytest.param(len(CONTENT) + 1, digest(CONTENT), id="more than there is here"),
        pytest.param(-1, "", id="no size"),
    ],
)
def test_a_part_that_is_not_its_start_is_replaced(file: LargeFile, size: int, said: str) -> None:
    assert file.skip(size, said) is False
    assert b"".join(file.rest()) == CONTENT
    assert file.part("name") == Part("name", digest(CONTENT), len(CONTENT))


def test_a_file_that_shrinks_meanwhile_is_not_sent_in_parts(file: LargeFile, root: Path) -> None:
    with (root / "d/large").open("r+b") as opened:
        opened.truncate(10)
    assert b"".join(file.rest()) == CONTENT[:10]
    assert (file.sent, file.part("name")) == (10, None)


def test_a_file_that_grows_meanwhile_is_sent_with_its_former_length(file: LargeFile, root: Path) -> None:
    with (root / "d/large").open("ab") as opened:
        opened.write(b"grown")
    assert b"".join(file.rest()) == CONTENT


@pytest.mark.parametrize("path", [b"nothing", b"d/nothing", b"link", b"way/large", b"d/large/below"])
def test_a_file_that_was_replaced_or_is_behind_a_link_is_not_sent(root: Path, path: bytes) -> None:
    (root / "link").symlink_to("d/large")
    (root / "way").symlink_to("d")
    with contextlib.closing(LargeFile(os.fsencode(root), path)) as opened:
        assert (opened.is_there, opened.size) == (False, 0)
    opened.close()


def test_each_version_of_a_file_has_its_name() -> None:
    entry = Entry("file", 0o644, 5, 6)
    names = {
        part_name(b"a", entry), part_name(b"b", entry), part_name(b"a", entry._replace(size=6)),
        part_name(b"a", entry._replace(mtime_ns=7)),
    }  # fmt: skip
    assert len(names) == 4
    assert part_name(b"a", entry._replace(mode=0o600, version=3)) == part_name(b"a", entry)
    assert all(name.isalnum() for name in names)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"!size 12", b"ab" * 32 + b"  -", b"!go", b"!size 99"], (12, "ab" * 32)),
        ([b"!size   12 ", b"!go"], (12, "")),
        ([b"!size x", b"!go"], (-1, "")),
        ([b"!size " + b"9" * 19, b"!go"], (-1, "")),
        ([b"SHA2-256(stdin)= " + b"cd" * 32, b"!go"], (-1, "cd" * 32)),
        ([], (-1, "")),
    ],
)
def test_the_targets_report_about_a_part_is_parsed(lines: list[bytes], expected: tuple[int, str]) -> None:
    assert answer(iter(lines), b"!go") == expected
