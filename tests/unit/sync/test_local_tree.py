"""Tests for which local files belong to a project, without git and with real inotify."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from rdo.sync.entry import Entry, changes
from rdo.sync.file_state import TICK
from tests.leaks import wait_until
from tests.sync_project import ENVIRONMENT
from tests.sync_trees import Project

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not


def test_files_directories_and_links_are_recorded(project: Project) -> None:
    file = project.write("d/a", "abc")
    file.chmod(0o4750)
    (project.root / "empty").mkdir(mode=0o700)
    (project.root / "link").symlink_to("/etc")
    (project.root / "d/dangling").symlink_to("nowhere")
    os.mkfifo(project.root / "fifo")
    tree = project.settle()
    assert sorted(tree) == [b"d", b"d/a", b"d/dangling", b"empty", b"link"]
    assert tree[b"d/a"][:-1] == ("file", 0o4750, 3, file.stat().st_mtime_ns, b"")
    assert tree[b"empty"] == Entry("directory", 0o700)
    assert tree[b"link"] == Entry("link", link=b"/etc")
    assert tree[b"d/dangling"] == Entry("link", link=b"nowhere")


def test_without_a_change_the_tree_is_the_same(project: Project) -> None:
    project.write("a/b")
    tree = project.local.settle(ENVIRONMENT)
    while (again := project.local.settle(ENVIRONMENT)) is not tree:  # as long as the file might be written unnoticed
        tree = again
    (project.root / "a/b").read_text()
    assert project.local.settle(ENVIRONMENT) is tree


def test_a_tree_that_was_given_is_never_changed(project: Project) -> None:
    project.write("a")
    tree = project.local.settle(ENVIRONMENT)
    before = dict(tree)
    project.write("b")
    (project.root / "a").unlink()
    assert project.paths() == [b"b"]
    assert tree == before


def test_a_burst_just_before_the_request_is_seen(project: Project) -> None:
    project.settle()
    for number in range(300):
        project.write(f"d{number % 7}/{number}")
        assert f"d{number % 7}/{number}".encode() in project.settle() or number % 20
    assert len(project.paths()) == 307


def test_names_may_be_any_bytes(project: Project) -> None:
    names = sorted([b"new\nline", b"\xff\xfe", b"-n", b" ", b"*", b"\\", "\u00e9".encode(), b"'\"", b":(top)"])
    project.settle()
    for name in names:
        project.write(name + b"/" + name)
    assert project.paths() == sorted([*names, *(name + b"/" + name for name in names)])


def test_a_directory_that_appears_with_its_content_is_seen(project: Project) -> None:
    project.settle()
    project.write("a/b/c/d/e")
    assert project.paths() == [b"a", b"a/b", b"a/b/c", b"a/b/c/d", b"a/b/c/d/e"]
    project.write("a/b/c/d/f")
    assert b"a/b/c/d/f" in project.settle()


def test_a_file_that_is_renamed_over_another_replaces_it(project: Project) -> None:
    project.write("a", "old")
    before = project.settle()
    project.write("a~", "new!")
    os.rename(project.root / "a~", project.root / "a")
    assert changes(before, project.settle()).put.keys() == {b"a"}
    assert project.settle()[b"a"].size == 4


def test_a_directory_moves_with_its_content(project: Project, tmp_path: Path) -> None:
    project.write("a/b/c")
    project.settle()
    os.rename(project.root / "a", project.root / "x")
    assert project.paths() == [b"x", b"x/b", b"x/b/c"]
    os.rename(project.root / "x", tmp_path / "outside")
    assert project.paths() == []
    (tmp_path / "outside/b/d").write_text("")
    assert project.paths() == []
    os.rename(tmp_path / "outside", project.root / "back")
    (project.root / "back/b/e").write_text("")
    assert project.paths() == [b"back", b"back/b", b"back/b/c", b"back/b/d", b"back/b/e"]


def test_swapped_directories_are_distinguished(project: Project) -> None:
    project.write("a/one")
    project.write("b/two")
    project.settle()
    for old, new in (("a", "t"), ("b", "a"), ("t", "b")):
        os.rename(project.root / old, project.root / new)
    project.write("a/three")
    assert project.paths() == [b"a", b"a/three", b"a/two", b"b", b"b/one"]
    project.write("b/four")
    assert project.paths() == [b"a", b"a/three", b"a/two", b"b", b"b/four", b"b/one"]


def test_a_change_of_kind_is_seen(project: Project) -> None:
    project.write("a/b")
    project.settle()
    shutil.rmtree(project.root / "a")
    (project.root / "a").symlink_to("/usr")
    assert project.settle() == {b"a": Entry("link", link=b"/usr")}
    (project.root / "a").unlink()
    project.write("a")
    assert project.settle()[b"a"].kind == "file"
    (project.root / "a").unlink()
    project.write("a/c")
    assert project.paths() == [b"a", b"a/c"]
    shutil.rmtree(project.root / "a")
    assert project.paths() == []


def test_no_link_is_followed_even_if_it_replaces_a_directory(project: Project, tmp_path: Path) -> None:
    (tmp_path / "outside/b").mkdir(parents=True)
    (tmp_path / "outside/b/secret").write_text("")
    project.write("a/b/c")
    project.settle()
    os.rename(project.root / "a", tmp_path / "old")
    (project.root / "a").symlink_to(tmp_path / "outside")
    (tmp_path / "old/b/c").write_text("more")
    assert project.paths() == [b"a"]


@pytest.mark.parametrize("how", ["at once", "later"])
def test_a_write_that_leaves_size_and_date_alone_is_seen(project: Project, how: str) -> None:
    file = project.write("a", "one")
    before = project.local.settle(ENVIRONMENT)
    if how == "later":
        wait_until(lambda: file.stat().st_ctime_ns + 2 * TICK < time.time_ns(), 10)
        before = project.local.settle(ENVIRONMENT)
    date = file.stat().st_mtime_ns
    file.write_text("two")
    os.utime(file, ns=(date, date))
    after = project.local.settle(ENVIRONMENT)
    assert changes(before, after).put.keys() == {b"a"}
    assert before[b"a"][:4] == after[b"a"][:4]


def test_a_change_through_another_hard_link_is_seen(project: Project, tmp_path: Path) -> None:
    project.write("a", "one")
    os.link(project.root / "a", tmp_path / "outside")
    before = project.settle()
    (tmp_path / "outside").write_text("three")
    assert project.settle()[b"a"].size == 5 != before[b"a"].size


def test_a_write_by_a_name_that_is_new_is_seen_at_the_old_ones(project: Project) -> None:
    project.write("d/a", "one")
    project.settle()
    os.link(project.root / "d/a", project.root / "b")
    project.write("b", "three")
    assert project.settle()[b"d/a"].size == 5
    project.write("b", "seventh")
    assert project.settle()[b"d/a"].size == 7


def test_a_write_through_mmap_is_seen_after_munmap(project: Project) -> None:
    import mmap

    file = project.write("a", "one")
    before = project.local.settle(ENVIRONMENT)
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 3) as mapped:
        mapped[:3] = b"two"
    assert changes(before, project.local.settle(ENVIRONMENT)).put.keys() == {b"a"}


def test_a_change_of_mode_is_seen(project: Project) -> None:
    project.write("d/a").chmod(0o600)
    project.settle()
    (project.root / "d/a").chmod(0o755)
    (project.root / "d").chmod(0o711)
    tree = project.settle()
    assert (tree[b"d/a"].mode, tree[b"d"].mode) == (0o755, 0o711)
