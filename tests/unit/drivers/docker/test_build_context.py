"""Tests for a build context: which files of a directory it has, and what changes its digest."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rdo.drivers.docker import build_context
from rdo.drivers.docker.dockerfile import BuildContext
from rdo.errors import SetupError


@pytest.fixture
def context(tmp_path: Path) -> BuildContext:
    """A context with a Dockerfile, a script, a directory and a link."""
    (tmp_path / "Dockerfile").write_text("FROM x\n")
    (tmp_path / "run").write_text("#!/bin/sh\n")
    (tmp_path / "run").chmod(0o755)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/file").write_text("1")
    (tmp_path / "link").symlink_to("/etc/passwd")
    return BuildContext(str(tmp_path), "Dockerfile")


def packed(context: BuildContext) -> dict[str, tarfile.TarInfo]:
    """The members of the archive."""
    with tarfile.open(fileobj=io.BytesIO(b"".join(build_context.pack(context)))) as archive:
        return {member.name: member for member in archive}


def test_the_archive_has_modes_and_links_and_everything_belongs_to_root(context: BuildContext) -> None:
    members = packed(context)
    assert sorted(members) == ["Dockerfile", "link", "run", "sub", "sub/file"]
    assert members["link"].linkname == "/etc/passwd"
    assert members["run"].mode == 0o755
    assert {(member.uid, member.gid, member.uname) for member in members.values()} == {(0, 0, "")}


def test_what_is_ignored_is_left_out_but_not_what_the_build_itself_needs(context: BuildContext) -> None:
    Path(context.directory, ".dockerignore").write_text("*\n!sub\nsub/file\n")
    Path(context.directory, "sub/other").write_text("")
    assert sorted(packed(context)) == [".dockerignore", "Dockerfile", "sub", "sub/other"]


def test_a_dockerfile_in_an_ignored_directory_is_included(context: BuildContext) -> None:
    Path(context.directory, ".dockerignore").write_text("sub\n")
    assert "sub/file" in packed(context._replace(dockerfile="sub/file"))


def test_pipes_are_left_out_and_not_waited_for(context: BuildContext) -> None:
    os.mkfifo(os.path.join(context.directory, "pipe"))
    assert "pipe" not in packed(context)


def test_names_that_are_not_utf8_arrive_as_they_are(context: BuildContext) -> None:
    with open(os.path.join(os.fsencode(context.directory), b"\xff"), "w"):
        pass
    assert b"\xff" in b"".join(build_context.pack(context))


def test_a_file_that_changes_while_it_is_packed_damages_no_other(context: BuildContext) -> None:
    sub = Path(context.directory, "sub/file")
    for before, after in ((b"x" * 3000, b"y"), (b"x", b"y" * 3000)):
        sub.write_bytes(before)
        pieces = []
        for piece in build_context.pack(context):
            pieces.append(piece)
            if b"sub/file" in piece:
                sub.write_bytes(after)
        with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
            assert archive.getmember("sub/file").size == len(before)
            assert len(archive.getmembers()) == 5


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda root: (root / "sub/file").write_text("22"),
    "mode": lambda root: (root / "run").chmod(0o644),
    "new file": lambda root: (root / "new").write_text(""),
    "new directory": lambda root: (root / "new").mkdir(),
    "gone": lambda root: (root / "run").unlink(),
    "renamed": lambda root: (root / "run").rename(root / "ran"),
    "link": lambda root: ((root / "link").unlink(), (root / "link").symlink_to("/etc/group")),
    "Dockerfile": lambda root: (root / "Dockerfile").write_text("FROM y\n"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_digest_changes_with_each_change(context: BuildContext, change: str) -> None:
    before = build_context.digest(context, [])
    assert build_context.digest(context, []) == before
    CHANGES[change](Path(context.directory))
    assert build_context.digest(context, []) != before


def test_the_digest_changes_with_the_settings_and_with_nothing_that_is_ignored(context: BuildContext) -> None:
    Path(context.directory, ".dockerignore").write_text("run\nsub/*\n")
    before = build_context.digest(context, ["a"])
    Path(context.directory, "run").write_text("other")
    Path(context.directory, "sub/more").write_text("")
    assert build_context.digest(context, ["a"]) == before
    assert build_context.digest(context, ["b"]) != before


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore"])
def test_a_file_outside_of_the_context_is_refused_unread(context: BuildContext, name: str) -> None:
    path = Path(context.directory, name)
    path.unlink(missing_ok=True)
    path.symlink_to("/etc/passwd")
    with pytest.raises(SetupError, match=f"cannot read .*{name}"):
        build_context.digest(context, [])


def test_a_pipe_in_place_of_the_ignore_file_is_refused(context: BuildContext) -> None:
    os.mkfifo(os.path.join(context.directory, ".dockerignore"))
    with pytest.raises(SetupError, match="not a regular file"):
        build_context.digest(context, [])
