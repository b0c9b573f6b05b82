"""Tests for files to and from a target of every kind, over the pool that commands use."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rdo.drivers.base import ChannelOptions
from rdo.pool import shell_pool
from rdo.pool.maintenance import Maintenance
from rdo.pool.shell_pool import ShellPool
from tests.reach import REACH, Target
from tests.ssh_client import ScriptedCaller
from tests.sync_target import Side, texts, write

KINDS = ("local", "ssh", "ssh-dropbear", "docker-dash", "docker-busybox")


@pytest.fixture(scope="module", params=KINDS)
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Each target in turn, started before the test begins."""
    with ExitStack() as stack:
        yield REACH[request.param](request, tmp_path_factory.mktemp("shared"), stack)


@pytest.fixture
def side(target: Target, tmp_path: Path) -> Iterator[Side]:
    """A project, and a remote directory that does not exist yet."""
    resolved = target.driver.resolve(ScriptedCaller(environment=target.environment))
    pool = ShellPool(resolved)
    side = Side(tmp_path, pool, target.local / "there", f"{target.remote}/there")
    side.caller.environment = target.environment
    yield side
    pool.close("the test is over")
    resolved.release()


def test_files_are_pushed_and_pulled(side: Side) -> None:
    side.write({"a": "1", "src/b": "2" * 300_000, "empty/": ""})
    assert side.push().put == 4
    write(side.there, {"dist/built": "3" * 500_000, "dist/more": "4"})
    assert side.pull(b"dist").pulled == 2
    assert texts(side.here / "dist") == texts(side.there / "dist")
    shutil.rmtree(side.here / "dist")
    side.write({"a": "changed"})
    (side.here / "src/b").unlink()
    side.push()
    assert texts(side.here) == {b"a": b"changed"}
    assert (side.there / "a").read_text() == "changed"
    assert not (side.there / "src/b").exists()


def test_no_shell_is_opened_between_a_short_job_and_its_command(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[None] = []
    monkeypatch.setattr(Maintenance, "wake", lambda _: prepared.append(None))
    monkeypatch.setattr(shell_pool, "REFILL_DELAY", 1000.0)
    side.push()
    assert prepared == []
    side.write({"once": "1"})
    monkeypatch.setattr(shell_pool, "REFILL_DELAY", 0.0)
    side.push()
    assert len(prepared) == 1
    with side.use.shells.lease(side.caller, ChannelOptions):
        pass
    assert len(prepared) == 2
