"""Tests for unusual copies: many files at once, large ones, full disks, odd clocks."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from statistics import mode

import pytest

from rdo.remote_sh.render import render
from rdo.remote_sh.script import Copied, Script
from tests import disk
from tests.disk import Mount
from tests.e2e.project import TIMEOUT, local_project
from tests.e2e.reached import Reached
from tests.e2e.synced import Synced, listing, prepared
from tests.leaks import wait_until
from tests.soak import tries

BRANCH_FILES = tries(500, 5_000)

TRIES = range(5, 40)
"""The number of attempts, of which the most frequent count is used, since orders to the lifeline sometimes share a
packet.
"""

LARGE = 2 * 1024**3 + 12_345

LARGE_TIMEOUT = 900.0
"""Seconds, against hangs, for copying this much in both directions on a busy machine."""


def test_without_a_change_not_a_byte_is_sent(by_ssh: Reached, synced: Synced) -> None:
    (synced.here / "a").write_text("1")

    def carried(*words: str) -> int:
        """Bytes carried by a command, including everything that it prepared for the next one."""
        before = by_ssh.line.settled()
        synced.ok(*words)
        return by_ssh.line.settled() - before

    reads = ("sh", "-c", "cat")  # so it ends when the target knows that there is no input, which takes a packet
    for _ in range(3):
        synced.ok(*reads)
    without: list[int] = []
    synced_too: list[int] = []
    while len(without) < TRIES.start or (mode(synced_too) != mode(without) and len(without) < TRIES.stop):
        without.append(carried("--no-sync", *reads, "x" * (length_of_look(synced) - 1)))
        synced_too.append(carried(*reads))
    assert mode(synced_too) == mode(without), (synced_too, without)
    (synced.here / "a").write_text("2")
    assert carried(*reads) > max(without)


def length_of_look(synced: Synced) -> int:
    """The length of the script that checks whether the target still has the files, which is part of the command's
    script.
    """
    (state,) = (path.parent for path in synced.there.glob(".rdo-sync/*/serial"))
    script = Script(["true"], copied=Copied(str(state), "0" * 16))
    with_it, without = (render(each, nonce="0" * 16, pty=False) for each in (script, script._replace(copied=None)))
    return len(with_it) - len(without)


def git(synced: Synced, *words: str) -> None:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    subprocess.run(["git", *identity, *words], cwd=synced.here, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.soak
def test_a_switch_to_a_branch_of_thousands_of_other_files_is_there_before_the_command(synced: Synced) -> None:
    (synced.here / "stays").write_text("1")
    git(synced, "add", ".")
    git(synced, "commit", "-qm", "one")
    git(synced, "checkout", "-qb", "two")
    for number in range(BRANCH_FILES):
        path = synced.here / f"d{number % 50}" / f"f{number}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{number}")
    git(synced, "rm", "-q", "stays")
    git(synced, "add", ".")
    git(synced, "commit", "-qm", "two")
    count = "find . -path ./.rdo-sync -prune -o -type f -print | wc -l"
    files = len(subprocess.check_output(["git", "ls-files"], cwd=synced.here).splitlines())
    assert int(synced.sh(count)) == files
    git(synced, "switch", "-q", "-")
    assert synced.sh(f"{count}; cat stays").split() == [str(files - BRANCH_FILES + 1), "1"]
    git(synced, "switch", "-q", "two")
    assert int(synced.sh(count)) == files
    expected = {name: each for name, each in listing(synced.here).items() if not name.startswith(".git")}
    assert listing(synced.there) == expected


@pytest.mark.long
def test_a_file_of_2_gb_is_pushed_and_pulled(tmp_path: Path, runtime: dict[str, str]) -> None:
    synced = prepared(local_project(tmp_path, runtime))  # over a connection that takes minutes, and is the same to sync
    synced.configure('pull = ["back"]\n')
    with (synced.here / "large").open("wb") as file:
        file.truncate(LARGE - 3)
        file.seek(0, os.SEEK_END)
        file.write(b"end")
    done = subprocess.run(
        synced.project.command("-c", "wc -c <large; tail -c 3 large; mv large back"),
        cwd=synced.here,
        env=dict(synced.project.environment),
        capture_output=True,
        timeout=LARGE_TIMEOUT,
    )
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, [str(LARGE).encode(), b"end"], b"")
    assert (synced.here / "back").stat().st_size == LARGE


def test_a_full_remote_disk_is_reported_and_nothing_is_lost(
    tmp_path: Path, runtime: dict[str, str], mount: Mount
) -> None:
    synced = Synced(local_project(tmp_path, runtime))
    shutil.rmtree(synced.there)
    mount(synced.there, options="size=2m,mode=700")
    synced.configure("")
    (synced.here / "a").write_text("one")
    synced.ok("true")
    disk.fill(synced.there)
    (synced.here / "a").write_bytes(b"two" * 100_000)
    done = synced.run("touch", "ran")
    assert (done.returncode, done.stderr.count(b"\n")) == (255, 1), done
    assert b"no space is left on its disk" in done.stderr
    assert b"free disk space there" in done.stderr
    assert (synced.there / "a").read_text() == "one"
    (synced.there / "filler").unlink()
    assert synced.ok("-c", "wc -c <a").strip() == "300000"


def test_an_interrupted_first_copy_is_resumed(by_ssh: Reached, synced: Synced) -> None:
    for number in range(300):
        (synced.here / f"f{number}").write_bytes(b"%d" % number * 10_000)
    with by_ssh.project.start("true") as running:
        assert wait_until(lambda: any(synced.there.glob(".rdo-sync/*")), TIMEOUT)
        by_ssh.line.cut()
        running.communicate(timeout=TIMEOUT)
        assert running.returncode in (0, 255)
    assert synced.sh("cat f* | wc -c").strip() == str(sum(len(b"%d" % n) * 10_000 for n in range(300)))


def test_an_editor_that_saves_by_rename_and_a_file_that_is_appended_to_are_seen(synced: Synced) -> None:
    synced.ok("true")
    for number in range(5):
        (synced.here / "a~").write_text(f"{number}")
        (synced.here / "a~").rename(synced.here / "a")
        with (synced.here / "log").open("a") as log:
            log.write(f"{number}\n")
        assert synced.ok("cat", "a", "log") == f"{number}" + "".join(f"{n}\n" for n in range(number + 1))


def test_the_projects_on_a_target_are_separate(synced: Synced, tmp_path: Path) -> None:
    (synced.here / "a").write_text("one")
    synced.ok("true")
    config = (synced.here / ".rdo.conf").read_text()
    other = tmp_path / "other"
    other.mkdir()
    (other / ".rdo.conf").write_text(config.replace(f'"{synced.there}"', f'"{tmp_path}/others"'))
    (other / "a").write_text("two")
    done = subprocess.run(
        synced.project.command("cat", "a"), cwd=other, env=dict(synced.project.environment), capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"two", b"")
    assert synced.ok("cat", "a") == "one"


def test_a_worktree_whose_repository_is_not_copied_is_reported_once(synced: Synced) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["commit", "-q", "--allow-empty", "-m", "1"], ["worktree", "add", "-q", "../other"]):
        subprocess.run([*git, *words], cwd=synced.here, check=True)
    other = replace(synced.project, local=synced.here.parent / "other")
    config = (synced.here / ".rdo.conf").read_text().replace(str(synced.there), f"{synced.there}-other")
    (other.local / ".rdo.local.conf").write_text(config + "sync_git = true\n")
    (other.local / ".rdo.conf").write_text("")
    told = [other.run("true") for _ in range(2)]
    assert [done.returncode for done in told] == [0, 0]
    assert told[0].stderr.startswith(b"rdo: git does not work in `")
    assert told[0].stderr.endswith(b"/.git/worktrees/other`\n")
    assert told[1].stderr == b""
