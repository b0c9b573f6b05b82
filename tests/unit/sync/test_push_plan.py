"""Tests for what a push does on a target, in which order, and for the resulting input of its shell."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from rdo.sync import push_job, push_plan
from rdo.sync.conflict import Difference, SyncConflict, conflicts, is_as_put, is_version, named
from rdo.sync.entry import Entry
from rdo.sync.examine import Found
from rdo.sync.manifest import Placed
from rdo.sync.push_job import Push, calls, chunks, job, word
from rdo.sync.push_plan import batches, in_the_way, plan, portions

FILE, LINK, DIRECTORY = Entry("file", 0o644, 1), Entry("link", link=b"x"), Entry("directory", 0o755)
BARE = Entry("directory", 0o555)


def placed(entry: Entry, token: str = "", *, existed: bool = False) -> Placed:
    return Placed(entry, "", token, existed)


STATE = "81a4 1 1970-01-01 00:00:00.000000007 +0000 1970-01-01 00:00:00 +0000 5"


@pytest.mark.parametrize(
    ("found", "entry", "is_same"),
    [
        (Found("file", STATE, "ab"), FILE._replace(mtime_ns=7), True),
        (Found("file", STATE, "ab"), FILE._replace(mtime_ns=7, version=3), True),
        (Found("file", STATE, "ab"), FILE._replace(mtime_ns=8), False),
        (Found("file", STATE, "ab"), FILE._replace(mtime_ns=7, mode=0o600), False),
        (Found("file", STATE, "ab"), FILE._replace(mtime_ns=7, size=2), False),
        (Found("file", STATE, "cd"), FILE._replace(mtime_ns=7), False),
        (Found("file", STATE, ""), FILE._replace(mtime_ns=7), False),
        (Found("file", "nothing", "ab"), FILE._replace(mtime_ns=7), False),
        (Found("link", STATE, link=b"x"), LINK, True),
        (Found("link", STATE, link=b"y"), LINK, False),
        (Found("directory", STATE), DIRECTORY, False),
        (Found("link", STATE, link=b"x"), FILE, False),
    ],
)
def test_an_equal_file_is_recognized_by_its_whole_state(found: Found, entry: Entry, is_same: bool) -> None:
    assert is_as_put(found, entry, "ab" if found.digest else "") is is_same


def test_a_new_path_must_not_exist_and_an_old_one_must_be_unchanged() -> None:
    there = {b"old": placed(FILE, "token"), b"gone": placed(LINK, "link"), b"d": placed(DIRECTORY)}
    made = plan({b"old": Placed(FILE), b"d/new": Placed(FILE)}, [b"gone"], there, {}, {})
    assert (made.none, made.same) == ([b"d/new"], {b"old": "token", b"gone": "link"})
    assert (made.removed, made.emptied, made.plain) == ([b"gone"], [], [b"d"])


def test_a_new_directory_is_put_with_its_content() -> None:
    there = {b"old": placed(DIRECTORY), b"f": placed(FILE, "t")}
    put = {b"old/x": FILE, b"old/new": DIRECTORY, b"old/new/d": DIRECTORY, b"old/new/d/y": FILE, b"f": DIRECTORY}
    made = plan({path: Placed(each) for path, each in put.items()}, [], there, {}, {})
    assert made.moved == [b"f", b"old/new", b"old/x"]
    assert (made.none, made.plain, made.unknown) == ([b"old/new", b"old/x"], [b"old"], [b"", b"old"])
    found = plan({path: Placed(each) for path, each in put.items()}, [], there, {b"old/new": Found("directory")}, {})
    assert found.moved == [b"f", b"old/new", b"old/new/d", b"old/x"]
    assert (found.none, found.plain) == ([b"old/new/d", b"old/x"], [b"old", b"old/new"])


def test_the_scanned_state_takes_precedence_over_the_known_one() -> None:
    there = {b"a": placed(FILE, "old"), b"b": placed(FILE, "old"), b"c": placed(FILE, "old")}
    found = {b"a": Found("file", "now"), b"b": Found(""), b"c": Found("")}
    made = plan({b"a": Placed(FILE), b"b": Placed(FILE)}, [b"c"], there, found, {})
    assert (made.same, made.none, made.removed) == ({b"a": "now"}, [b"b"], [])


def test_a_directory_in_place_of_a_file_and_the_reverse() -> None:
    there = {b"f": placed(FILE, "t"), b"d": placed(DIRECTORY), b"d/x": placed(FILE, "u"), b"d/e": placed(DIRECTORY)}
    put = {b"f": Placed(DIRECTORY), b"f/y": Placed(FILE), b"d": Placed(FILE)}
    made = plan(put, [b"d/x", b"d/e"], there, {}, {})
    assert made.cleared == [b"f", b"d/x"]
    assert made.opened == [b"d/e", b"d"]
    assert made.emptied == []
    assert made.plain == [b"d"]


def test_only_directories_that_rdo_created_are_removed() -> None:
    there = {b"ours": placed(DIRECTORY), b"theirs": placed(DIRECTORY, existed=True)}
    assert plan({}, [b"ours", b"theirs"], there, {}, {}).emptied == [b"ours"]


def test_modes_are_set_on_rdos_directories_and_last_if_read_only() -> None:
    there = {b"ours": placed(BARE), b"theirs": placed(DIRECTORY, existed=True)}
    put = {b"ours": Placed(DIRECTORY), b"theirs": Placed(BARE), b"new": Placed(BARE), b"new/f": Placed(FILE)}
    made = plan(put, [], there, {}, {b"new": BARE, b"bare": BARE})
    assert made.modes == {b"ours": 0o755, b"new": 0o555}
    assert made.unlocked == {}
    made = plan({b"bare/f": Placed(FILE)}, [], {}, {}, {b"bare": BARE})
    assert (made.unlocked, made.modes) == ({b"bare": 0o755}, {b"bare": 0o555})


def test_a_read_only_directory_on_the_target_is_made_writable_first() -> None:
    there = {b"gone": placed(BARE), b"gone/f": placed(FILE, "t"), b"open": placed(BARE)}
    put = {b"open": Placed(DIRECTORY), b"open/f": Placed(FILE)}
    made = plan(put, [b"gone/f", b"gone"], there, {}, {b"open": DIRECTORY})
    assert made.unlocked == {b"gone": 0o755, b"open": 0o755}
    assert made.modes == {b"open": 0o755}
    theirs = {b"theirs": placed(BARE, existed=True), b"theirs/f": placed(FILE, "t")}
    assert plan({}, [b"theirs/f"], theirs, {}, {}).unlocked == {}


def test_a_tree_is_split_into_independent_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_plan, "BATCH_SIZE", 10)
    tree = {b"a": Entry("file", size=6), b"b": Entry("file", size=6), b"c": Entry("file", size=1)}
    assert [sorted(each) for each in batches(tree)] == [[b"a"], [b"b", b"c"]]
    monkeypatch.setattr(push_plan, "BATCH_COUNT", 1)
    assert len(list(batches(tree))) == 3
    assert list(batches({})) == [{}]
    assert in_the_way({b"a": FILE}, [b"a/b/c", b"b/c"]) == [b"a/b/c"]


def test_a_batch_is_read_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_plan, "PORTION_COUNT", 2)
    assert [list(each) for each in portions({b"a": FILE, b"b": FILE, b"c": FILE})] == [[b"a", b"b"], [b"c"]]
    assert list(portions({})) == []


def test_words_come_in_chunks() -> None:
    assert [len(each) for each in chunks([b"x"] * 4500)] == [2000, 2000, 500]
    assert [len(each) for each in chunks([b"x" * 50_000] * 3)] == [1, 1, 1]
    assert list(chunks([])) == []
    assert list(calls(b"f", [b"it's", b"b"])) == [b"f './it'\\''s' './b'\n"]
    assert word(b"") == b"."


def test_a_job_is_valid_shell_text(tmp_path: Path) -> None:
    push = Push(
        {b"d": Placed(DIRECTORY), b"d/f": Placed(FILE), b"n'": Placed(FILE)}, [b"d", b"n'"], [b"gone"],
        [b"e"], [b"c"], [b"o"], {b"n'": "token"}, [b"d", b"x"], [b"p"], {b"n'": "part"}, [b"d"],
        {b"u": 0o755}, {b"u": 0o555},
    )  # fmt: skip
    for replaces, last in ((False, True), (True, False)):
        text = job(push, serial="ab", stat="gnu", intent=b"P\t1\n", replaces_log=replaces, is_last=last)
        (tmp_path / "job").write_bytes(text)
        assert subprocess.run(["/bin/sh", "-n", os.fspath(tmp_path / "job")], check=True).returncode == 0
        assert (b'mv -f "$sync_stage/manifest"' in text) == replaces
    nothing = job(Push({}), serial="ab", stat="bsd", intent=b"P\t1\n", replaces_log=False, is_last=True)
    assert b"commit() {\n:\n}" in nothing
    assert push_job.check_job(push, stat="gnu").endswith(b"stop_sync checked\n")
    assert push_job.stage("ab") == "stage-ab"


def test_a_conflict_names_the_first_few() -> None:
    assert named([b"b", b"a"]) == "`a` and `b`"
    assert named([b"a"]) == "`a`"
    assert named([b"c", b"b", b"a"]) == "`a`, `b` and `c`"
    assert named([b"a", b"b", b"c", b"d"]) == "`a`, `b`, `c` and 1 more"
    one = SyncConflict("devbox", [Difference(b"a", None, "changed")])
    assert (one.what, one.why) == ("did not copy files to `devbox`", "`a` has changed there")
    assert SyncConflict("x", [Difference(b"a", None, "not ours")]).why == "`a` was there before rdo"
    two = [Difference(b"a", None, "changed"), Difference(b"b", None, "not ours")]
    assert SyncConflict("x", two).why == "`a` and `b` have changed there"
    assert SyncConflict("x", [each._replace(there="not ours") for each in two]).why.endswith("were there before rdo")


def test_a_file_on_the_target_is_rdos_by_content_or_token() -> None:
    version = Placed(FILE, "digest", "token")
    assert is_version(Found("file", "other", "digest"), version)
    assert is_version(Found("file", "token", ""), version)
    assert not is_version(Found("file", "other", ""), version._replace(digest=""))
    assert not is_version(Found("file", "", "other"), version._replace(token=""))
    assert not is_version(Found("link", link=b"x"), version)
    assert is_version(Found("link", link=b"x"), Placed(LINK))
    assert not is_version(Found("link", link=b"y"), Placed(LINK))
    assert is_version(Found("directory"), Placed(DIRECTORY))


def test_a_file_that_is_neither_rdos_nor_equal_is_a_conflict() -> None:
    found = {
        b"ours": Found("file", "", "old"), b"equal": Found("file", "", "new"), b"gone": Found(""),
        b"changed": Found("file", "", "theirs"), b"foreign": Found("file", "", "theirs"),
        b"removed": Found("file", "", "theirs"),
    }  # fmt: skip
    old = (Placed(FILE, "old"),)
    ours = {b"ours": old, b"changed": old, b"removed": old}
    put = {path: FILE for path in found if path != b"removed"}
    assert [(each.path, each.there) for each in conflicts(found, put, ours, {b"equal": "new"})] == [
        (b"changed", "changed"), (b"foreign", "not ours"), (b"removed", "changed")
    ]  # fmt: skip


def test_a_path_in_another_spelling_is_removed_before_it_is_put() -> None:
    there = {b"README": placed(FILE, "1"), b"src": placed(DIRECTORY), b"src/a": placed(FILE, "2")}
    put = {b"readme": Placed(FILE), b"SRC": Placed(DIRECTORY), b"SRC/a": Placed(FILE), b"new": Placed(FILE)}
    made = plan(put, [b"src/a", b"src", b"README"], there, {}, {}, frozenset(), {b"readme", b"SRC", b"SRC/a"})
    assert (made.none, made.same) == ([b"new"], {b"README": "1", b"src/a": "2"})
    assert (made.cleared, made.emptied) == ([b"README", b"src/a"], [b"src"])
    steps = job(made, serial="s", stat="gnu", intent=b"P\t1\n", replaces_log=False, is_last=True).split(b"\n")
    assert steps.index(b"leave './src'") < steps.index(b"into_new . './SRC'")
    assert [line for line in steps if line.startswith((b"clear ", b"leave "))] == [
        b"clear './README' './src/a'", b"leave './src'"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("intent", "is_echoed"),
    [
        (b"P\t1\nf\ta'b\n", True),
        (b"P\t1\nf\ta\\tb\n", False),
        (b"P\t1\nf\t\xc3\xa9\n", False),
        (b"P\t" + b"x" * push_job.ECHO_LIMIT, False),
    ],
)
def test_short_and_plain_text_is_printed_without_a_program(intent: bytes, is_echoed: bool, tmp_path: Path) -> None:
    text = job(Push({}), serial="s", stat="gnu", intent=intent, replaces_log=False, is_last=True)
    function = text[text.index(b"intend() {") : text.index(b"commit() {")]
    assert (b"echo" in function, b"cat" in function) == (is_echoed, not is_echoed)
    (tmp_path / "pending").write_bytes(intent)
    done = subprocess.run(["sh", "-c", function + b"intend"], env={"sync_stage": str(tmp_path)}, capture_output=True)
    assert (done.stdout, done.stderr) == (intent, b"")
