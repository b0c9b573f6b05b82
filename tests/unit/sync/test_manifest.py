"""Tests for the log of what rdo has put on a target: written, read, and read after it was truncated."""

from __future__ import annotations

import pytest

from rdo.sync.entry import Entry
from rdo.sync.examine import Found
from rdo.sync.known_files import KnownFiles
from rdo.sync.manifest import BadManifest, Placed, intent, parse, whole

FILE = Placed(Entry("file", 0o644, 3, 5, version=7), "ab" * 32)
LINK = Placed(Entry("link", link=b"to\tthere\n\\"))
DIRECTORY = Placed(Entry("directory", 0o755))
PUT = [(b"a\nb", FILE), (b"d", DIRECTORY), (b"d/l", LINK)]
TOKENS = b"t\tone\nt\ttwo\nt\tthree\n"
LOG = b"\n" + intent("s1", PUT, []) + b"h\t 0\n" + TOKENS + b"E\ts1\n"


def test_a_log_survives_writing_and_reading() -> None:
    read = parse(LOG)
    assert read.serial == "s1"
    assert read.uncertain == {}
    assert read.placed == {
        b"a\nb": FILE._replace(token="one"),
        b"d": DIRECTORY._replace(existed=True),
        b"d/l": LINK._replace(token="three"),
    }


def test_a_shortened_log_means_the_same() -> None:
    read = parse(LOG)
    again = parse(whole("s1", read.placed))
    assert (again.placed, again.serial) == (read.placed, "s1")


def test_a_later_push_replaces_and_removes() -> None:
    newer = FILE._replace(digest="cd" * 32)
    log = LOG + b"\n" + intent("s2", [(b"a\nb", newer)], [b"d/l"]) + b"h\t\nt\tnew\nE\ts2\n"
    assert parse(log).placed == {b"a\nb": newer._replace(token="new"), b"d": DIRECTORY._replace(existed=True)}


def test_a_truncated_log_leaves_its_last_push_uncertain() -> None:
    longer = LOG + b"\n" + intent("s2", [(b"x", FILE)], [b"d/l"]) + b"h\t\nt\tnew\nE\ts2\n"
    for size in range(len(LOG), len(longer) - 6):
        read = parse(longer[:size])
        assert (read.serial, read.placed) == ("s1", parse(LOG).placed)
    for size in range(len(LOG)):
        assert parse(LOG[:size] + b"\n" + LOG).placed == parse(LOG).placed


def test_the_intentions_of_a_push_are_uncertain() -> None:
    pending = intent("s2", [(b"x", FILE), (b"d", DIRECTORY)], [b"d/l", b"not there"], [(b"kept", FILE)])
    read = parse(LOG, [pending])
    assert read.uncertain == {
        b"kept": (FILE,), b"x": (FILE,), b"d": (DIRECTORY._replace(existed=True),), b"d/l": ()
    }  # fmt: skip


@pytest.mark.parametrize(
    "log",
    [
        b"P\ts\nf\t644\t3\nE\ts\n",
        b"P\ts\nz\twhat\nE\ts\n",
        b"P\ts\nd\t755\t../out\nh\t\nt\tx\nE\ts\n",
        b"P\ts\nd\t755\t/out\nh\t\nt\tx\nE\ts\n",
        b"P\ts\nd\t755\tbad\\escape\nh\t\nt\tx\nE\ts\n",
        b"P\ts\nd\t755\td\nh\t\nE\ts\n",
    ],
    ids=["fields", "letter", "up", "absolute", "escape", "tokens"],
)
def test_a_log_that_rdo_did_not_write_is_refused(log: bytes) -> None:
    with pytest.raises(BadManifest):
        parse(log)


def equal(found: Found, placed: Placed) -> bool:
    return found.digest == placed.digest and found.kind == placed.entry.kind


def test_an_interrupted_push_is_resolved_by_the_state_of_the_target() -> None:
    newer = FILE._replace(digest="cd" * 32)
    pending = intent("s2", [(b"a\nb", newer), (b"new", FILE), (b"d", DIRECTORY)], [b"d/l"])
    known = KnownFiles(parse(LOG, [pending]))
    assert is_settled(known) is False
    assert known.versions(b"a\nb") == (FILE._replace(token="one"), newer)
    assert known.versions(b"other") == ()
    found = {
        b"a\nb": Found("file", "token", "cd" * 32), b"new": Found(""), b"d": Found("directory"), b"d/l": Found("other")
    }  # fmt: skip
    known.resolve(found, equal)
    assert known.placed[b"a\nb"] == newer._replace(token="token")
    assert b"new" not in known.placed
    assert known.placed[b"d/l"].token == "three"
    assert sorted(known.resolved) == [b"a\nb", b"d", b"d/l", b"new"]
    assert is_settled(known) is False
    known.record([(b"z", FILE)], [b"d/l"])
    assert is_settled(known) is True
    assert known.entries.keys() == {b"a\nb", b"d", b"z"}


def test_files_that_rdo_knew_remain_its_own_if_the_targets_log_is_lost() -> None:
    before = {
        b"same": FILE._replace(token="1"), b"changed": FILE._replace(token="2"), b"gone": FILE, b"d/l": FILE
    }  # fmt: skip
    known = KnownFiles(parse(LOG), before)
    assert set(known.uncertain) == {b"same", b"changed", b"gone", b"d/l"}
    found = {
        b"same": Found("file", "token", FILE.digest), b"changed": Found("file", "x", "y"), b"gone": Found(""),
        b"d/l": Found("other"),
    }  # fmt: skip
    known.resolve(found, equal)
    assert known.placed[b"same"].token == "token"
    assert known.placed[b"changed"].token == "", "it was rdo's, and is as nobody knows"
    assert b"gone" not in known.placed
    assert known.placed[b"d/l"].token == "three", "what the log says is not forgotten"
    assert KnownFiles(parse(LOG), {**known.placed, **parse(LOG).placed}).is_settled is False


def test_files_that_are_gone_are_not_rdos() -> None:
    known = KnownFiles(parse(LOG))
    known.lose([b"d/l"])
    assert b"d/l" not in known.placed
    assert b"d/l" not in known.entries
    assert is_settled(known) is True


def test_files_that_are_already_there_need_not_be_put() -> None:
    known = KnownFiles(parse(LOG))
    known.adopt(b"z", FILE._replace(token="now"))
    assert known.placed[b"z"].token == "now"
    assert known.entries[b"z"] == FILE.entry
    assert is_settled(known) is False


def test_a_log_is_rewritten_when_it_could_be_much_shorter() -> None:
    known = KnownFiles(parse(LOG))
    assert is_long(known) is False
    for _ in range(1000):
        known.record([(b"z", FILE)], [])
    assert is_long(known) is True
    known.replaced_log()
    assert is_long(known) is False


def is_settled(known: KnownFiles) -> bool:
    return known.is_settled


def is_long(known: KnownFiles) -> bool:
    return known.log_is_long
