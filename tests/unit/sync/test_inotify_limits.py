"""Tests for inotify limits that are reached, and for mounts, with the real kernel."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.sync.local_tree import LocalTree
from rdo.sync.rules import SyncRules
from rdo.sync.watcher import ON_LINUX
from tests.sync_project import ENVIRONMENT

pytestmark = [
    pytest.mark.skipif(not ON_LINUX, reason="inotify is Linux's"),
    pytest.mark.no_cover,  # takes no branch of a pure module that its own tests do not
]

PYTHON = [shutil.which("python3") or "python3", "-X", "utf8", "-c"]


def limited(root: Path, limits: str, body: str) -> str:
    """The output of a test that runs as another user, in a user namespace with its own limits."""
    script = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from rdo.sync.local_tree import LocalTree
from rdo.sync.rules import SyncRules
local = LocalTree({str(root)!r}, SyncRules("push"), print)
def settle():
    return sorted(local.settle(dict(os.environ)))
{body}
"""
    command = ["unshare", "--user", "--map-root-user", "sh", "-c", f'{limits} && exec "$@"', "sh", *PYTHON, script]
    result = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    if "unshare" in result.stderr or "cannot create" in result.stderr:
        pytest.skip(result.stderr)
    assert result.stderr == ""
    return result.stdout


def test_at_the_limit_of_watches_everything_is_read_and_that_is_reported_once(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"d{number}").mkdir()
    body = f"""
print(len(settle()))
open({str(tmp_path / "d3/a")!r}, "w").close()
print(len(settle()))
"""
    said = limited(tmp_path, "echo 20 >/proc/sys/user/max_inotify_watches", body)
    assert said == (
        f"cannot watch `{tmp_path}` for changes, so each command looks at all files: this user watches too many"
        " directories; raise the limit: `sudo sysctl fs.inotify.max_user_watches=1048576`\n30\n31\n"
    )


def test_a_limit_that_is_reached_later_loses_nothing(tmp_path: Path) -> None:
    body = f"""
print(len(settle()))
for number in range(30):
    os.mkdir({str(tmp_path)!r} + f"/d{{number}}")
    open({str(tmp_path)!r} + f"/d{{number}}/a", "w").close()
print(len(settle()))
os.unlink({str(tmp_path / "d29/a")!r})
print(len(settle()))
"""
    said = limited(tmp_path, "echo 20 >/proc/sys/user/max_inotify_watches", body).splitlines()
    assert said[0] == "0"
    assert said[1].startswith("cannot watch")
    assert said[2:] == ["60", "59"]


def test_the_limit_of_instances_is_reported(tmp_path: Path) -> None:
    said = limited(tmp_path, "echo 0 >/proc/sys/user/max_inotify_instances", "print(settle())")
    assert "this user has too many watchers; raise the limit: `sudo sysctl fs.inotify.max_user_instances=1024`" in said
    assert said.endswith("\n[]\n")


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalTree]:
    (tmp_path / "root").mkdir()
    local = LocalTree(str(tmp_path / "root"), SyncRules("push"), lambda _: None)
    yield local
    local.close()


@pytest.fixture
def mounting() -> Iterator[list[Path]]:
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount")
    mounted: list[Path] = []
    yield mounted
    for path in mounted:
        subprocess.run(["umount", "-l", path], check=False, capture_output=True)


def mount(mounting: list[Path], *words: str | Path) -> None:
    if subprocess.run(["mount", *words], check=False, capture_output=True).returncode:
        pytest.skip("cannot mount")
    mounting.append(Path(words[-1]))


def test_a_mount_below_changes_the_tree(local: LocalTree, tmp_path: Path, mounting: list[Path]) -> None:
    below = tmp_path / "root/d"
    below.mkdir(parents=True)
    (below / "hidden").touch()
    assert sorted(local.settle(ENVIRONMENT)) == [b"d", b"d/hidden"]
    mount(mounting, "-t", "tmpfs", "tmpfs", below)
    assert sorted(local.settle(ENVIRONMENT)) == [b"d"]
    (below / "shown").touch()
    assert sorted(local.settle(ENVIRONMENT)) == [b"d", b"d/shown"]
    subprocess.run(["umount", below], check=True)
    assert sorted(local.settle(ENVIRONMENT)) == [b"d", b"d/hidden"]


def test_a_directory_that_is_mounted_twice_changes_in_both_places(
    local: LocalTree, tmp_path: Path, mounting: list[Path]
) -> None:
    for name in ("d", "e"):
        (tmp_path / "root" / name).mkdir(parents=True)
    local.settle(ENVIRONMENT)
    mount(mounting, "--bind", tmp_path / "root/d", tmp_path / "root/e")
    assert sorted(local.settle(ENVIRONMENT)) == [b"d", b"e"]
    (tmp_path / "root/d/a").touch()
    assert sorted(local.settle(ENVIRONMENT)) == [b"d", b"d/a", b"e", b"e/a"]
    (tmp_path / "root/e/a").unlink()
    assert sorted(local.settle(ENVIRONMENT)) == [b"d", b"e"]
