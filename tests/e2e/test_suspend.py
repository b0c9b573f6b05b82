"""Tests that after a suspend of the machine, no command trusts a connection that was heard from just before.

A test cannot suspend the machine. Instead, a library that is loaded into the control master makes the clock jump that
includes suspends (CLOCK_BOOTTIME), but not the one that excludes them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.masters import served_by_systemd
from tests.e2e.reached import Reached

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it has another clock")

TIMEOUT = 20.0
"""Seconds for a probe of 3 s and a login on a busy machine. A command that trusts the connection waits twice as
long.
"""

SLEPT = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef int clock_function(clockid_t, struct timespec *);

int clock_gettime(clockid_t clock, struct timespec *at) {
    clock_function *known = (clock_function *)dlsym(RTLD_NEXT, "clock_gettime");
    int status = known(clock, at);
    const char *slept = getenv("SLEPT");
    if (status == 0 && clock == CLOCK_BOOTTIME && slept != NULL && access(slept, F_OK) == 0)
        at->tv_sec += 3600;
    return status;
}
"""


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """A library whose clock is an hour ahead while the file exists that SLEPT names."""
    if shutil.which("cc") is None:
        require("cc", "there is no compiler")
    source, library = tmp_path / "clock.c", tmp_path / "clock.so"
    source.write_text(SLEPT)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    return library


def test_a_connection_that_died_during_a_suspend_is_probed_by_the_next_command(
    by_ssh: Reached, clock: Path, tmp_path: Path
) -> None:
    slept = tmp_path / "slept"
    with served_by_systemd(by_ssh.project, LD_PRELOAD=str(clock), SLEPT=str(slept)):
        assert by_ssh.project.run("true").returncode == 0
        by_ssh.line.fall_silent()
        by_ssh.line.settled()  # data read after the jump is considered received then
        slept.touch()
        began = time.monotonic()
        found = by_ssh.project.run("echo", "again")
        assert (found.returncode, found.stdout, found.stderr) == (0, b"again\n", b"")
        assert time.monotonic() - began < TIMEOUT
        assert by_ssh.project.shell("rdoctl stop --all").returncode == 0
