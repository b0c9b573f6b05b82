"""Tests for which processes a control master can serve."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from rdo.master.admission import Surroundings, surroundings_of
from rdo.util.brief_calls import SIZE_LIMIT

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="no other system shows them")

OURS = Surroundings("/lib/rdo", (("net", b"net:[1]"), ("status", b"Groups:\t0\n")))


def test_a_client_with_the_same_properties_is_served() -> None:
    assert OURS.include(OURS)


@pytest.mark.parametrize("other", [
    Surroundings("/opt/rdo", OURS.seen),
    Surroundings("/lib/rdo", (("net", b"net:[2]"), ("status", b"Groups:\t0\n"))),
    Surroundings("/lib/rdo", (("net", b"net:[1]"), ("status", b"Groups:\t0 7\n"))),
])  # fmt: skip
def test_a_client_that_differs_is_refused_and_has_another_socket(other: Surroundings) -> None:
    assert not OURS.include(other)
    assert other.socket != OURS.socket
    assert re.fullmatch("control-[0-9a-f]{16}", other.socket)


def test_unreadable_properties_are_ignored() -> None:
    assert OURS.include(Surroundings("/lib/rdo", ()))
    assert Surroundings("/lib/rdo", ()).include(OURS)


@on_linux
def test_a_child_has_our_properties_unless_it_dropped_some() -> None:
    ours = surroundings_of(os.getpid(), "")
    for before, same in (([], True), (["setpriv", "--no-new-privs"], False)):
        with subprocess.Popen([*before, "sh", "-c", "echo; read x"], stdin=-1, stdout=-1) as child:
            assert child.stdout
            child.stdout.readline()
            assert ours.include(surroundings_of(child.pid, "")) == same
            child.communicate(b"\n")


@on_linux
@pytest.mark.skipif(os.geteuid() != 0, reason="only root chooses its groups")
def test_all_groups_of_a_user_of_many_are_seen() -> None:
    groups = range(10_000, 10_000 + SIZE_LIMIT)
    with subprocess.Popen(["cat"], stdin=-1, extra_groups=groups) as child:
        status = dict(surroundings_of(child.pid, "").seen)["status"]
        assert f" {groups[-1]} ".encode() in status
        child.communicate()


def test_a_process_that_is_gone_has_no_properties() -> None:
    with subprocess.Popen(["true"]) as gone:
        pass
    assert surroundings_of(gone.pid, "/lib/rdo") == Surroundings("/lib/rdo", ())
