"""Tests for what rdo and rdoctl report about copied files, and for copying by command."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from rdo.cli.doctor.files import skew
from rdo.sync.sync_table import KEPT
from tests.e2e.reached import Reached
from tests.e2e.synced import Synced

pytestmark = pytest.mark.usefixtures("lent")


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (1000, "ok"), (999, "ok"), (1001, "ok"), (998, "ok"), (1002, "the target's clock is 2 s ahead"),
        (900, "the target's clock is 99 s behind"), (1061, "the target's clock is 61 s ahead"),
    ],
)  # fmt: skip
def test_doctor_reports_clocks_that_differ_by_more_than_a_second(there: int, said: str) -> None:
    finding = skew(1000.0, there, 1000.0)
    assert said in (finding.verdict.value, finding.detail)


def test_doctor_checks_what_copying_needs(synced: Synced) -> None:
    done = synced.rdoctl("doctor")
    assert b"ok       clocks: both sides have the same time\n" in done.stdout
    assert b"ok       programs to copy files: `tar` and `stat` are there\n" in done.stdout
    assert b"they are watched for changes\n" in done.stdout
    assert not (synced.there / ".rdo-sync").exists(), "it copies nothing"
    synced.configure('pull = ["dist"]\n')
    done = synced.rdoctl("doctor")
    assert b"programs to copy files: `tar`, `stat` and `find` are there\n" in done.stdout


def test_explain_and_status_show_what_is_copied(synced: Synced) -> None:
    synced.configure('pull = ["dist/**", "coverage.xml"]\nexclude = ["docs/"]\n')
    shown = synced.rdoctl("explain", "true").stdout.decode()
    assert f"{synced.here} -> {synced.there}, all that git would track, without .git" in shown
    assert "but not  docs/\n" in shown
    assert f"after    {synced.there} -> {synced.here}, dist/**, coverage.xml\n" in shown
    synced.ok("true")
    assert f'"directory": "{synced.there}"' in synced.rdoctl("status", "--json").stdout.decode()
    here, there = synced.rdoctl("sync", "status").stdout.decode().splitlines()[:2]
    assert re.fullmatch(rf"here   {synced.here}: [0-9]+ files? in all", here)
    assert there.endswith(": the same")


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the watches of a process")
def test_files_of_an_earlier_config_are_not_watched_for_ever(synced: Synced) -> None:
    for number in range(KEPT + 3):
        synced.configure(f'exclude = ["unused{number}"]\n')
        synced.ok("true")
    (master,) = json.loads(synced.rdoctl("status", "--json").stdout)
    (target,) = (each for each in master["targets"] if each["syncs"])
    assert target["syncs"] == [{"root": str(synced.here), "directory": str(synced.there)}]
    descriptors = Path(f"/proc/{master['pid']}/fd").iterdir()
    assert [os.readlink(each) for each in descriptors].count("anon_inode:inotify") == KEPT


def test_rdoctl_sync_copies_in_one_direction(synced: Synced) -> None:
    synced.configure('pull = ["out"]\n')
    (synced.here / "a").write_text("1")
    assert synced.rdoctl("sync", "push").returncode == 0
    assert (synced.there / "a").read_text() == "1"
    (synced.there / "a").unlink()
    assert synced.rdoctl("sync", "push").returncode == 0
    assert (synced.there / "a").read_text() == "1"
    (synced.there / "out").write_text("2")
    (synced.here / "a").write_text("11")
    assert synced.rdoctl("sync", "pull").returncode == 0
    assert ((synced.here / "out").read_text(), (synced.there / "a").read_text()) == ("2", "1")
    outside = synced.rdoctl("sync", "take", "here", "../x")
    assert (outside.returncode, b"`../x` is not a file of the project" in outside.stderr) == (255, True)
    unknown = synced.rdoctl("sync", "take", "there", "src", "srv")
    assert (unknown.returncode, unknown.stderr.count(b"\n")) == (255, 1)
    assert unknown.stderr.startswith(b"rdoctl: cannot take `srv` from `")
    unknown = synced.rdoctl("sync", "take", "here", "src", "srv")
    assert unknown.stderr.startswith(b"rdoctl: cannot take `srv` from here: there is no such file here that is pushed")
    offered = synced.rdoctl("__complete", "sync", "take", "here", "sr").stdout
    assert offered.split(b"\t")[0] == b"src"


def test_everything_is_taken_from_here_except_pulled_files(synced: Synced) -> None:
    synced.configure('pull = ["out/**"]\n')
    for name in ("a", "src/b", "src/gone"):
        (synced.here / name).parent.mkdir(exist_ok=True)
        (synced.here / name).write_text("1")
    synced.sh("mkdir out; echo 1 >out/x; for each in a src/b src/gone; do echo theirs >$each; done")
    (synced.here / "src/gone").unlink()
    (synced.here / "a").write_text("mine")
    assert synced.run("true").returncode == 255
    for path in ("out/x", "out"):
        refused = synced.rdoctl("sync", "take", "here", path)
        assert refused.returncode == 255
        assert f"cannot take `{path}` from here: `pull` names it".encode() in refused.stderr
    assert synced.rdoctl("sync", "take", "there", ".").returncode == 255
    assert synced.rdoctl("sync", "take", "here", ".").returncode == 0
    assert synced.ok("cat", "a", "src/b") == "mine1"
    assert not (synced.there / "src/gone").exists()


def test_rdo_rsh_copies_nothing_itself(synced: Synced) -> None:
    synced.ok("true")
    (synced.here / "a").write_text("1")
    done = synced.project.shell("rdo-rsh '' ls")
    assert (done.returncode, b"a\n" in done.stdout) == (0, False)


@pytest.mark.parametrize("words", [("--sync-only", "true"), ("--sync-only", "-c", "true")])
def test_only_copying_and_running_a_command_are_mutually_exclusive(synced: Synced, words: tuple[str, ...]) -> None:
    done = synced.run(*words)
    assert (done.returncode, done.stderr) == (
        255,
        b"rdo: `--sync-only` runs no command; leave out one of the two\n",
    )


def test_nothing_of_a_clone_is_copied_before_it_is_allowed(synced: Synced) -> None:
    synced.configure('include = [".ssh/**"]\npull = ["**"]\n')
    for words in (["true"], ["--sync-only"]):
        done = synced.project.run(*words, env={"RDO_TRUST": "0"}, start_new_session=True)
        assert (done.returncode, b"is not allowed yet" in done.stderr) == (255, True), done
    assert not synced.there.exists()


def test_without_sync_there_is_nothing_to_copy(by_ssh: Reached) -> None:
    done = by_ssh.project.run("--sync-only")
    assert done.returncode == 255
    assert done.stderr == b'rdo: there is nothing to copy: the profile does not set `sync`; write `sync = "push"`\n'


def test_there_is_nothing_to_copy_if_sync_is_disabled(synced: Synced) -> None:
    done = synced.run("--no-sync", "--sync-only")
    said = b"rdo: there is nothing to copy: `--no-sync` was given; leave out one of the two options\n"
    assert (done.returncode, done.stderr) == (255, said)


def test_files_are_named_as_rdoctl_accepts_them_in_the_current_directory(synced: Synced) -> None:
    synced.configure('pull = ["out"]\n')
    (synced.here / "src").mkdir(exist_ok=True)
    (synced.here / "src/a").write_text("1")
    synced.sh("echo theirs >src/a")
    (synced.here / "src/a").write_text("ours")
    (synced.here / "out").write_text("ours")
    refused = synced.project.run("true", cwd="src")
    assert (refused.returncode, b": `a` has changed there; " in refused.stderr) == (255, True), refused
    assert synced.project.shell("cd src && rdoctl sync diff").stdout == b"changed there     a\n"
    assert synced.project.shell("cd src && rdoctl sync take here a").returncode == 0
    refused = synced.project.run("-c", "echo theirs >../out", cwd="src")
    assert (refused.returncode, b"`rdoctl sync take there ../out`\n" in refused.stderr) == (255, True), refused
    assert synced.project.shell("cd src && rdoctl sync take there ../out").returncode == 0
    assert (synced.here / "out").read_text() == "theirs\n"


@pytest.mark.parametrize("words", [("status",), ("diff",), ("take", "here", "a")])
def test_a_removed_remote_directory_does_not_matter(synced: Synced, words: tuple[str, ...]) -> None:
    (synced.here / "a").write_text("1")
    synced.ok("true")
    shutil.rmtree(synced.there)
    done = synced.rdoctl("sync", *words)
    assert (done.returncode, done.stderr) == (0, b"")
    is_taken = words[0] == "take"
    assert ((synced.there / "a").exists(), b"missing" in done.stdout) == (is_taken, not is_taken)
