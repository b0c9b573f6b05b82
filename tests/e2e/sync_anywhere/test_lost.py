"""Tests that files that the target has lost, or that somebody there removed, are copied again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.project import TIMEOUT
from tests.e2e.synced import Synced

pytestmark = pytest.mark.usefixtures("lent")


def test_an_emptied_target_gets_everything_again(synced: Synced) -> None:
    (synced.here / "a").write_text("1")
    synced.ok("true")
    shutil.rmtree(synced.there)
    synced.rdoctl("stop")
    assert synced.ok("cat", "a") == "1"


LOSSES: dict[str, Callable[[Path], object]] = {
    "the directory": shutil.rmtree,
    "all in it": lambda there: [shutil.rmtree(there), there.mkdir()],
    "rdo's record": lambda there: shutil.rmtree(there / ".rdo-sync"),
    "what git does not track": lambda there: [shutil.rmtree(there / ".rdo-sync"), (there / "new").unlink()],
}


@pytest.mark.parametrize("lost", LOSSES)
@pytest.mark.parametrize("more", ["", 'pull = ["out"]\n'], ids=["push", "pull"])
def test_lost_files_are_restored_before_the_command_starts(synced: Synced, more: str, lost: str) -> None:
    synced.configure(more)
    for name in ("a", "src/b", "new"):
        (synced.here / name).write_text("1")
    assert synced.ok("cat", "a") == "1"
    LOSSES[lost](synced.there)
    with synced.project.start("-c", "cat - ../a b ../new; exit 3", cwd="src") as running:
        assert running.communicate(b"input ", timeout=TIMEOUT) == (b"input 111", b"")
        assert running.returncode == 3
    LOSSES[lost](synced.there)
    (synced.here / "a").write_text("2")
    (synced.here / "src" / "b").unlink()
    assert synced.sh("cat a new; ls src") == "21"
    assert not [path.name for path in synced.there.glob(".rdo-sync/*/go-*")]


def test_after_a_complete_loss_directories_that_are_not_copied_are_missing(synced: Synced) -> None:
    (synced.here / "a").write_text("1")
    (synced.here / ".gitignore").write_text("out\n")
    (synced.here / "out").mkdir()
    synced.ok("mkdir", "out")
    shutil.rmtree(synced.there)
    with synced.project.start("touch", "made", cwd="out") as running:
        stdout, stderr = running.communicate(timeout=TIMEOUT)
    assert (running.returncode, stdout, stderr.count(b"\n")) == (255, b"", 1)
    assert b"rdo: cannot enter the directory `" in stderr
    assert (synced.there / "a").read_text() == "1"


@pytest.mark.parametrize("words", ["rdo --sync-only", "rdoctl sync push"])
def test_lost_files_are_also_restored_without_a_command(synced: Synced, words: str) -> None:
    (synced.here / "a").write_text("1")
    synced.ok("true")
    shutil.rmtree(synced.there)
    done = synced.project.shell(words)
    assert (done.returncode, done.stderr, (synced.there / "a").read_text()) == (0, b"", "1")


@pytest.mark.parametrize("restarted", [False, True], ids=["known here", "known nowhere"])
def test_without_a_record_only_differing_files_are_conflicts(synced: Synced, restarted: bool) -> None:
    for name in "abc":
        (synced.here / name).write_text("1")
    synced.ok("true")
    shutil.rmtree(synced.there / ".rdo-sync")
    (synced.there / "a").write_text("theirs")
    if restarted:
        synced.rdoctl("stop")
    else:
        assert synced.ok("cat", "a", "b") == "theirs1", "as if the record were there"
        (synced.here / "a").write_text("2")
        (synced.here / "c").write_text("2")
    done = synced.run("touch", "ran")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (255, b"", 1)
    assert (b": `a` was there before rdo;" if restarted else b": `a` has changed there;") in done.stderr
    assert ((synced.there / "a").read_text(), (synced.there / "ran").exists()) == ("theirs", False)
    assert synced.rdoctl("sync", "take", "there", "a").returncode == 0
    assert synced.ok("cat", "a", "b") == "theirs1"
