"""Tests for a push that is interrupted at any point: each file has one of its two versions, and the next push
continues.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rdo.drivers.base import Channel
from rdo.errors import RdoError
from rdo.sync import push_plan
from tests.one_shell import CutChannel, OneShell
from tests.soak import tries
from tests.sync_target import Side, contents, write
from tests.target_tools import calls, tools, tools_that_kill_the_shell

OLD, NEW = {}, {}  # type: dict[str, str], dict[str, str]
for number in range(6):
    OLD[f"same/{number}"] = NEW[f"same/{number}"] = f"same {number}"
    OLD[f"edited/{number}"], NEW[f"edited/{number}"] = f"old {number}" * 50, f"new {number}" * 70
    OLD[f"gone/{number}"] = f"gone {number}"
    NEW[f"fresh/deep/{number}"] = f"fresh {number}"
OLD |= {"file or directory": "file", "directory or file/a": "a", "top": "old"}
NEW |= {"file or directory/b": "b", "directory or file": "file", "top": "new"}

THEIRS = {"edited/theirs": "theirs", "theirs": "theirs", "gone/theirs": "theirs"}


def replace(root: Path, files: dict[str, str]) -> None:
    """Replace all files by these."""
    for each in list(root.iterdir()):
        if each.name != ".rdo-sync":
            shutil.rmtree(each) if each.is_dir() else each.unlink()
    write(root, files)


def is_one_of_two(there: Path, old: dict[str, str], new: dict[str, str]) -> bool:
    """Whether each file has its old or its new version, or is missing where it may be."""
    for path in [each for each in there.rglob("*") if ".rdo-sync" not in each.parts and each.is_file()]:
        name = str(path.relative_to(there))
        if path.read_text() not in (old.get(name), new.get(name), THEIRS.get(name)):
            return False
    kept = old.keys() & new.keys()
    return all((there / name).exists() for name in (*kept, *THEIRS))


def begin(tmp_path: Path) -> tuple[OneShell, Side]:
    """A project whose old state is on the target, among files of others. The local files are the new state."""
    pool = OneShell()
    side = Side(tmp_path, pool)
    write(side.there, THEIRS)
    replace(side.here, OLD)
    side.push()
    replace(side.here, NEW)
    return pool, side


def check(side: Side, old: dict[str, str] = OLD) -> None:
    """Check that nothing is half written or lost, and that another master than the interrupted one completes the
    push.
    """
    assert is_one_of_two(side.there, old, NEW)
    side.pool.path = os.environ["PATH"]  # type: ignore[union-attr]
    side.pool.channel = lambda channel: channel  # type: ignore[union-attr]
    side.fresh()
    side.push()
    found = {path: each for path, each in contents(side.there).items() if b"theirs" not in path}
    expected = contents(side.here)
    assert found.keys() - {b"gone"} == expected.keys()
    assert {path: found[path] for path in expected} == expected
    assert side.left == []
    for name, text in THEIRS.items():
        assert (side.there / name).read_text() == text


def steps(tmp_path: Path) -> int:
    """The number of programs that a push calls."""
    pool, side = begin(tmp_path)
    pool.path = tools_that_kill_the_shell(tmp_path / "tools", 10_000, after=False)
    side.push()
    pool.close()
    return calls(tmp_path / "tools")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_shell_that_is_killed_at_any_step_of_a_push_leaves_nothing_half_done(tmp_path: Path, after: bool) -> None:
    (tmp_path / "count").mkdir()
    total = steps(tmp_path / "count")
    assert total > 10
    for number in range(total):
        base = tmp_path / str(number)
        base.mkdir()
        pool, side = begin(base)
        pool.path = tools_that_kill_the_shell(base / "tools", number, after=after)
        with pytest.raises(RdoError):
            side.push()
        check(side)
        pool.close()
        shutil.rmtree(base)


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[tuple[OneShell, Side]]:
    pool, side = begin(tmp_path)
    yield pool, side
    pool.close()


def cut(number: int, total: int) -> Callable[[Channel], Channel]:
    """Cut each channel after this many bytes were sent or received."""
    if number % 2:
        return lambda channel: CutChannel(channel, back=number * total // 50)  # type: ignore
    return lambda channel: CutChannel(channel, out=number * total // 50)  # type: ignore


@pytest.mark.parametrize("number", range(0, 50, 5 if tries(1, 2) == 1 else 1))
def test_a_link_that_is_cut_at_any_byte_leaves_nothing_half_done(begun: tuple[OneShell, Side], number: int) -> None:
    pool, side = begun
    pool.channel = cut(number, 40_000 if number % 2 == 0 else 4_000)
    with contextlib.suppress(RdoError):
        side.push()
    check(side)


def test_an_interrupted_first_copy_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_plan, "BATCH_SIZE", 100_000)
    pool = OneShell()
    side = Side(tmp_path, pool)
    side.write({f"d{each}/{each}": random.Random(each).randbytes(20_000) for each in range(20)})
    number = iter(range(100))
    pool.channel = lambda channel: CutChannel(channel, out=50_000) if next(number) == 3 else channel  # type: ignore
    with pytest.raises(RdoError):
        side.push()
    pool.channel = lambda channel: channel
    side.fresh()
    result = side.push()
    assert 0 < result.size < 400_000
    assert side.is_same


def test_an_interrupted_large_file_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rdo.sync import push_sender

    monkeypatch.setattr(push_sender, "LARGE_SIZE", 1_000_000)
    pool = OneShell()
    side = Side(tmp_path, pool)
    side.write({"large": random.Random(1).randbytes(5_000_000), "small": "1"})
    cut_off: list[CutChannel] = []

    def cut_large(channel: Channel) -> Channel:
        cut_off.append(CutChannel(channel, out=3_000_000 if len(cut_off) == 1 else None))
        return cut_off[-1]  # type: ignore

    pool.channel = cut_large
    with pytest.raises(RdoError):
        side.push()
    assert not (side.there / "large").exists()
    sent: list[int] = []

    class Counted(CutChannel):
        def write(self, data: bytes) -> None:
            sent.append(len(data))
            super().write(data)

    pool.channel = lambda channel: Counted(channel)  # type: ignore
    side.fresh()
    assert side.push().complete
    assert side.is_same
    assert side.left == []
    assert sum(sent) < 4_500_000


def test_a_large_file_that_changed_meanwhile_is_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rdo.sync import push_sender

    monkeypatch.setattr(push_sender, "LARGE_SIZE", 100_000)
    monkeypatch.setattr(push_sender, "part_name", lambda path, entry: "0" * 32)
    pool = OneShell()
    side = Side(tmp_path, pool)
    side.write({"large": b"a" * 300_000})
    count = iter(range(9))
    pool.channel = lambda channel: CutChannel(channel, out=200_000) if next(count) == 1 else channel  # type: ignore
    with pytest.raises(RdoError):
        side.push()
    pool.channel = lambda channel: channel
    side.fresh()
    side.write({"large": b"b" * 310_000})
    side.push()
    assert side.is_same


def test_an_abandoned_lock_is_taken_over(begun: tuple[OneShell, Side]) -> None:
    _, side = begun
    (side.there / ".rdo-sync/lock").write_text("999999999\n")
    side.push()
    (side.there / ".rdo-sync/lock").write_text("")
    write(side.here, {"top": "newer"})
    side.push()
    assert (side.there / "top").read_text() == "newer"


def test_a_truncated_log_is_read(begun: tuple[OneShell, Side]) -> None:
    _, side = begun
    log = next(side.there.glob(".rdo-sync/*/manifest"))
    whole = log.read_bytes()
    for size in range(len(whole) - 300, len(whole), 17):
        log.write_bytes(whole[:size])
        side.fresh()
        side.push()
        assert is_one_of_two(side.there, OLD, NEW)
        replace(side.here, OLD)
        side.push()
        replace(side.here, NEW)
        log.write_bytes(whole)


def test_only_the_programs_that_a_push_needs_are_called(tmp_path: Path) -> None:
    pool = OneShell("dash", tools(tmp_path / "tools"))
    side = Side(tmp_path, pool)
    side.write({"a": "1"})
    side.push()
    assert side.is_same
    pool.close()
