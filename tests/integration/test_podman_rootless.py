"""Tests for what podman reports about itself as an ordinary user, which decides who owns the files that a container
creates.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from rdo.drivers.docker.endpoint import resolve
from rdo.drivers.docker.engine import Engine
from rdo.drivers.docker.image_container import ContainerFactory, ContainerOptions
from tests import account, podman_engine
from tests.conftest import require
from tests.leaks import wait_until
from tests.podman_engine import TIMEOUT

OPTIONS = ContainerOptions("x", "/", "/src", "default", None)


def end_processes(uid: int) -> bool:
    """End the processes of this user, such as the one that holds podman's namespace. Returns whether there were
    none.
    """
    found = [each for each in Path("/proc").iterdir() if each.name.isdecimal() and is_of(each, uid)]
    for each in found:
        with suppress(ProcessLookupError):
            os.kill(int(each.name), signal.SIGKILL)
    return not found


def is_of(process: Path, uid: int) -> bool:
    try:
        return process.stat().st_uid == uid
    except FileNotFoundError:
        return False


@contextmanager
def serving(home: Path, uid: int) -> Iterator[str]:
    """Run a podman of this user with this home directory. Yields DOCKER_HOST."""
    at = f"unix://{home}/socket"
    words = ["podman", "--cgroup-manager", "cgroupfs", "system", "service", "--time", "0", at]
    variables = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    null = subprocess.DEVNULL
    with subprocess.Popen(
        words,
        user=uid,
        group=pwd.getpwuid(uid).pw_gid,
        extra_groups=[],
        cwd=home,
        env=variables,
        stdin=null,
        stdout=null,
        stderr=null,
    ) as service:
        try:
            if (
                not wait_until(lambda: (home / "socket").exists() or service.poll() is not None, TIMEOUT)
                or service.poll()
            ):
                require("podman", "an ordinary user cannot run it here")
            yield at
        finally:
            service.kill()


@pytest.fixture
def host() -> Iterator[str]:
    """DOCKER_HOST of a podman of a temporary user."""
    if reason := podman_engine.why_not() or account.why_not():
        require("podman", reason)
    home = Path(tempfile.mkdtemp(prefix="rdo-podman-", dir="/var/tmp"))
    with account.account(home) as name:
        user = pwd.getpwnam(name)
        shutil.chown(home, group=user.pw_gid)
        try:
            with serving(home, user.pw_uid) as at:
                yield at
        finally:
            assert wait_until(lambda: end_processes(user.pw_uid), TIMEOUT)
    shutil.rmtree(home)


@pytest.mark.long
def test_root_in_a_container_of_rootless_podman_is_the_caller(host: str) -> None:
    environment = {**os.environ, "DOCKER_HOST": host}
    engine = Engine(resolve(environment), environment)
    try:
        assert ContainerFactory(engine, OPTIONS).user == "0:0"
    finally:
        engine.close()
