"""Tests that files are on the target before a command starts, and back when it has ended."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.e2e.project import TIMEOUT
from tests.e2e.synced import Synced, listing

pytestmark = pytest.mark.usefixtures("lent")


def test_local_changes_are_pushed_and_results_are_pulled(synced: Synced) -> None:
    synced.configure('pull = ["dist/**", "report.txt"]\n')
    (synced.here / "src" / "app").write_text("one")
    assert synced.ok("cat", "src/app") == "one"
    for number in range(5):
        (synced.here / "src" / "app").write_text(f"edit {number}")
        made = "mkdir -p dist/a && cp src/app dist/a/b && echo done > report.txt && cat src/app"
        assert synced.sh(made) == f"edit {number}"
        assert (synced.here / "dist" / "a" / "b").read_text() == f"edit {number}"
    assert (synced.here / "report.txt").read_text() == "done\n"
    synced.sh("rm -r dist")
    assert not (synced.here / "dist" / "a" / "b").exists()


def test_all_kinds_of_files_arrive_unchanged(synced: Synced) -> None:
    here = os.fsencode(synced.here)
    os.makedirs(here + b"/deep/empty")
    for name in (b"a\nb", b"-n", b"'q\"$`\\", b" blank ", b"*", "\N{SNOWMAN}".encode()):
        Path(os.fsdecode(here + b"/deep/" + name)).write_bytes(name)
    (synced.here / "run").write_text("#!/bin/sh\necho ran\n")
    (synced.here / "run").chmod(0o755)
    (synced.here / "link").symlink_to("src/../run")
    (synced.here / "out").symlink_to("/etc/passwd")
    os.utime(synced.here / "run", (1_000_000_000, 1_000_000_000))
    assert synced.ok("./run") == "ran\n"
    expected = {name: each for name, each in listing(synced.here).items() if not name.startswith(".git")}
    assert listing(synced.there) == expected
    shutil.rmtree(synced.here / "deep")
    (synced.here / "run").rename(synced.here / "renamed")
    assert synced.ok("./renamed") == "ran\n"
    expected = {name: each for name, each in listing(synced.here).items() if not name.startswith(".git")}
    assert listing(synced.there) == expected


def test_ignored_files_are_not_pushed_unless_they_are_included(synced: Synced) -> None:
    (synced.here / ".gitignore").write_text(".env\n*.log\nnode_modules/\n")
    (synced.here / ".env").write_text("SECRET=1")
    (synced.here / "a.log").write_text("x")
    (synced.here / "big").write_text("x")
    (synced.here / "node_modules" / "m").mkdir(parents=True)
    synced.configure('include = ["a.log"]\nexclude = ["big"]\n')
    assert synced.ok("ls", "-A").split() == [".gitignore", ".rdo-sync", ".rdo.conf", "a.log", "src"]


def test_files_of_others_on_the_target_are_never_touched(synced: Synced) -> None:
    synced.ok("true")
    (synced.there / "theirs").write_text("x")
    (synced.there / "src" / "theirs").write_text("y")
    shutil.rmtree(synced.here / "src")
    synced.ok("true")
    assert (synced.there / "theirs").read_text() + (synced.there / "src" / "theirs").read_text() == "xy"


def test_a_changed_remote_file_stops_the_command_and_is_not_overwritten(synced: Synced) -> None:
    (synced.here / "a").write_text("mine")
    synced.ok("true")
    (synced.there / "a").write_text("theirs!")
    (synced.here / "a").write_text("mine again")
    done = synced.run("touch", "ran")
    assert (done.returncode, done.stdout) == (255, b"")
    assert done.stderr.count(b"\n") == 1
    assert b"`a` has changed there; see `rdoctl sync diff`" in done.stderr
    assert (synced.there / "a").read_text() == "theirs!"
    assert not (synced.there / "ran").exists()
    assert synced.rdoctl("sync", "diff").stdout == b"changed there     a\n"
    assert synced.rdoctl("sync", "take", "here", "a").returncode == 0
    assert synced.ok("cat", "a") == "mine again"


def test_one_of_several_conflicts_can_be_resolved_alone(synced: Synced) -> None:
    for name in ("a", "d/b"):
        (synced.here / name).parent.mkdir(exist_ok=True)
        (synced.here / name).write_text("mine")
    synced.ok("true")
    for name in ("a", "d/b", "equal"):
        (synced.there / name).write_text("theirs!")
        (synced.here / name).write_text("theirs!" if name == "equal" else "mine again")
    assert b"`a` and `d/b` have changed there" in synced.run("true").stderr
    done = synced.rdoctl("sync", "take", "here", "d")
    assert (done.returncode, done.stderr) == (0, b"")
    assert (synced.there / "d/b").read_text() + (synced.there / "a").read_text() == "mine againtheirs!"
    assert b"`a` has changed there" in synced.run("true").stderr
    assert synced.rdoctl("sync", "take", "here", "a").returncode == 0
    assert synced.ok("cat", "a") == "mine again"


def test_a_conflict_can_be_resolved_by_taking_the_remote_file(synced: Synced) -> None:
    (synced.here / "a").write_text("mine")
    synced.ok("true")
    (synced.there / "a").write_text("theirs!")
    (synced.here / "a").write_text("mine again")
    assert synced.run("true").returncode == 255
    done = synced.rdoctl("sync", "take", "there", "a")
    assert (done.returncode, done.stderr) == (0, b"")
    assert (synced.here / "a").read_text() == "theirs!"
    assert synced.ok("cat", "a") == "theirs!"


def test_an_existing_remote_file_is_not_overwritten(synced: Synced) -> None:
    synced.there.mkdir()
    (synced.there / "a").write_text("theirs")
    (synced.here / "a").write_text("mine")
    done = synced.run("true")
    assert b"`a` was there before rdo" in done.stderr
    assert (done.returncode, (synced.there / "a").read_text()) == (255, "theirs")


def test_a_changed_local_file_is_not_overwritten_by_a_pull(synced: Synced) -> None:
    synced.configure('pull = ["out"]\n')
    synced.sh("echo 1 > out")
    (synced.here / "out").write_text("mine")
    done = synced.run("-c", "echo 22 > out")
    assert done.returncode == 255
    assert b"`out` has changed here" in done.stderr
    assert (synced.here / "out").read_text() == "mine"
    assert synced.run("-c", "echo 333 > out; exit 3").returncode == 3
    assert synced.rdoctl("sync", "take", "there", "out").returncode == 0
    assert (synced.here / "out").read_text() == "333\n"


def test_a_local_directory_is_not_overwritten_by_a_file_that_is_taken(synced: Synced) -> None:
    (synced.here / "d").mkdir()
    synced.sh("rmdir d; echo 1 >d")
    done = synced.rdoctl("sync", "take", "there", "d")
    assert done.returncode == 255
    assert done.stderr.endswith(b"; it is a directory here: move it away, and try again\n")
    (synced.here / "d").rmdir()
    assert synced.rdoctl("sync", "take", "there", "d").returncode == 0
    assert (synced.here / "d").read_text() == "1\n"


def test_files_that_are_left_on_the_target_are_reported_once(synced: Synced) -> None:
    synced.configure('pull = ["out/**"]\n')
    done = synced.run("-c", "mkdir out; echo 1 >out/a; ln -s /etc out/l; ln -s ../.. out/m")
    assert done.returncode == 0
    assert done.stderr.startswith(b"rdo: did not copy `out/l` and `out/m` from ")
    assert done.stderr.endswith(b": a link that leads out of the project's directory is not accepted\n")
    assert [path.name for path in (synced.here / "out").iterdir()] == ["a"]
    assert synced.sh("echo 2 >out/a") == ""


@pytest.mark.parametrize("pattern", ["out/**", "out/a/*.txt", "out/a/b", "out/**/b"])
def test_a_link_in_place_of_a_pulled_directory_is_reported(synced: Synced, pattern: str) -> None:
    synced.configure(f'pull = ["{pattern}"]\n')
    done = synced.run("-c", "mkdir -p made/a; echo 1 >made/a/b; ln -s made out")
    assert (done.returncode, (synced.here / "out").exists()) == (0, False)
    assert done.stderr.startswith(b"rdo: did not copy `out` from ")
    assert done.stderr.endswith(b": a link there is not followed; let `pull` name what it leads to\n")
    synced.configure(f'pull = ["{pattern.replace("out", "made")}", "out"]\n')
    assert synced.sh("true") == ""
    assert (synced.here / "out").is_symlink()


def test_a_command_can_skip_sync_and_files_can_be_copied_without_a_command(synced: Synced) -> None:
    synced.configure('pull = ["out"]\n')
    synced.ok("true")
    (synced.here / "a").write_text("1")
    assert synced.run("--no-sync", "-c", "echo x > out; cat a").returncode != 0
    assert not (synced.here / "out").exists()
    assert synced.ok("--sync-only") == ""
    assert ((synced.here / "out").read_text(), (synced.there / "a").read_text()) == ("x\n", "1")


def test_another_user_of_the_target_finds_the_files_that_are_copied(synced: Synced) -> None:
    if not synced.project.takes_long:
        pytest.skip("only an engine runs commands as another user by itself")
    config = synced.here / ".rdo.conf"
    config.write_text(config.read_text().replace(str(synced.there), "/srv/app"))
    for number in range(3):
        (synced.here / "a").write_text(f"{number}")
        assert synced.ok("-u", "65534", "-c", "id -u; cat a") == f"65534\n{number}"
    synced.ok("--no-sync", "rm", "-r", "/srv/app")
    assert b"cannot enter the directory `/srv/app`" in synced.run("-u", "65534", "cat", "a").stderr
    assert synced.ok("-u", "65534", "cat", "a") == "2"
    synced.ok("--no-sync", "rm", "-r", "/srv/app")
    assert synced.ok("cat", "a") == "2"


def test_concurrent_commands_all_see_earlier_changes(synced: Synced) -> None:
    synced.ok("true")
    for number in range(3):
        for name in "abc":
            (synced.here / name).write_text(f"{number}")
        started = [synced.project.start("cat", "a", "b", "c") for _ in range(6)]
        assert [each.communicate(timeout=TIMEOUT)[0] for each in started] == [str(number).encode() * 3] * 6


def test_a_running_command_is_not_disturbed_by_the_push_of_another(synced: Synced) -> None:
    (synced.here / "a").write_text("1")
    with synced.project.start("-c", "exec 3<a; echo up; cat >/dev/null; cat <&3") as running:
        running.expect_up()
        (synced.here / "a").write_text("2")
        assert synced.ok("cat", "a") == "2"
        assert running.communicate(b"", timeout=TIMEOUT)[0] == b"1"
