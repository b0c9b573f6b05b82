"""Tests for programs in a clone's `.rdo/bin`, before and after its shims were added to PATH."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdo.shims.script import MARK
from tests.e2e.project import Project, Result, local_project

pytestmark = pytest.mark.usefixtures("lent")

EVIL = '#!/bin/sh\n{mark}\ntouch "{trace}"\n'


@pytest.fixture
def clone(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A clone; its shims run tools in another directory of this machine."""
    return local_project(tmp_path, runtime)


def plant(clone: Project, name: str, mark: str = "# git") -> Path:
    """Add a program to the repository. Returns the file that shows that it ran."""
    directory = clone.local / ".rdo/bin"
    directory.mkdir(parents=True, exist_ok=True)
    trace = clone.local.parent / "ran"
    (directory / name).write_text(EVIL.format(mark=mark, trace=trace))
    (directory / name).chmod(0o755)
    return trace


def shell(clone: Project, line: str) -> Result:
    return clone.shell(f"set -e; {line}", start_new_session=True)


@pytest.mark.parametrize("mark", ["# git", MARK], ids=["plain", "like a shim"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_no_program_of_a_clone_comes_into_path(clone: Project, mark: str, when: str) -> None:
    """Before: it came with the clone. After: with a `git pull`, while PATH is already set."""
    trace = clone.local.parent / "ran"
    evil = EVIL.format(mark=mark, trace=trace)
    plain = clone.local / "planted"
    plain.write_text(evil)
    put = "mkdir -p .rdo/bin; cp planted .rdo/bin/git; chmod +x .rdo/bin/git"
    steps = ["rdoctl shim add make", 'eval "$(rdoctl shim env)"']
    steps.insert(0 if when == "before" else 2, put)
    result = shell(clone, f"{'; '.join(steps)}; hash -r; git --version; command -v make")
    assert result.stdout.decode().count("git version") == 1
    assert "/rdo/shims/" in result.stdout.decode()
    assert not trace.exists()


def test_a_program_in_the_place_of_a_shim_does_not_change_what_is_in_path(clone: Project) -> None:
    shell(clone, "rdoctl shim add pwd")
    trace = plant(clone, "pwd", MARK)
    result = shell(clone, 'eval "$(rdoctl shim env)"; command pwd')
    assert result.returncode == 0
    assert f"`{clone.local}/.rdo/bin/pwd` was not written by `rdoctl shim add`" in result.stderr.decode()
    assert not trace.exists()


def test_a_clone_s_own_link_or_directory_does_not_come_into_path(clone: Project, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (clone.local / ".rdo").mkdir()
    (clone.local / ".rdo/bin").symlink_to(tmp_path / "bin")
    result = shell(clone, 'eval "$(rdoctl shim env)"; echo "$PATH"')
    assert str(clone.local) not in result.stdout.decode()
    assert str(tmp_path / "bin") not in result.stdout.decode()


def test_list_and_env_name_foreign_files(clone: Project) -> None:
    shell(clone, "rdoctl shim add make")
    plant(clone, "git")
    for command in ("list", "env"):
        result = shell(clone, f"rdoctl shim {command}")
        what = f"`{clone.local}/.rdo/bin/git` was not written by `rdoctl shim add`"
        assert result.stderr.decode() == f"rdoctl: {what}: it is left out of PATH; remove it\n"


def test_an_editor_is_set_up_for_shims_that_were_written_here(clone: Project) -> None:
    trace = plant(clone, "make", MARK)
    result = shell(clone, "rdoctl ide vim make; .rdo/bin/make --version")
    assert b"wrote .rdo/bin: make" in result.stdout
    assert not trace.exists()


def test_the_directory_in_path_is_private_whatever_the_umask(clone: Project) -> None:
    result = shell(clone, 'umask 0; rdoctl shim add make; eval "$(rdoctl shim env)"; echo "${PATH%%:*}"')
    directory = Path(result.stdout.decode().splitlines()[-1])
    assert [path.stat().st_mode & 0o777 for path in (directory, directory.parent, directory.parent.parent)] == [
        0o700
    ] * 3
    assert (directory / "make").stat().st_mode & 0o777 == 0o700
    directory.chmod(0o777)
    refused = clone.shell("rdoctl shim env")
    assert (refused.returncode, refused.stdout) == (255, b"")
    assert b"can be written by others" in refused.stderr


def test_doctor_warns_about_a_path_from_an_earlier_release_or_direnv(clone: Project) -> None:
    result = clone.shell('PATH="$PATH:$PWD/.rdo/bin" rdoctl doctor')
    assert result.stdout.decode().startswith(
        f"warning  PATH: `{clone.local}/.rdo/bin` is in a project, where a repository can "
    )
    assert b"PATH" not in clone.shell("rdoctl doctor").stdout


def test_removing_a_shim_removes_it_from_path(clone: Project) -> None:
    steps = ["rdoctl shim add make tox", 'eval "$(rdoctl shim env)"', "rdoctl shim remove tox", 'ls -A "${PATH%%:*}"']
    assert shell(clone, "; ".join(steps)).stdout.endswith(b"/tox\nmake\n")
