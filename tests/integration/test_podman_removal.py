"""Tests for differences of podman when rdo removes one of its containers."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from rdo.drivers.docker.endpoint import resolve
from rdo.drivers.docker.engine import Engine
from rdo.drivers.docker.image_container import ContainerFactory, ContainerOptions
from rdo.drivers.docker.leftovers import remove
from tests import podman_engine
from tests.conftest import require
from tests.leaks import wait_until
from tests.podman_engine import IMAGE, LIMITS, TIMEOUT, podman

NOTE_WHAT_IS_ASKED = "trap 'echo >/there/asked; exit' TERM; echo >/there/ready; while :; do sleep 0.1; done"


@pytest.mark.long
def test_a_container_of_rdo_is_killed_when_it_is_removed(tmp_path: Path) -> None:
    if reason := podman_engine.why_not():
        require("podman", reason)
    with podman() as server:
        environment = {**os.environ, "DOCKER_HOST": server.host}
        with closing(Engine(resolve(environment), environment)) as engine:
            factory = ContainerFactory(engine, ContainerOptions(IMAGE, str(tmp_path), "/there", "default", None))
            made = factory.create({"Cmd": ["-c", "true"]}, "host")
            (timeout,) = server.run("inspect", "--format", "{{.Config.StopTimeout}}", made).split()
            remove(engine, made)
            options = ["--detach", "--stop-timeout", timeout, "--network", "host", "--volume", f"{tmp_path}:/there"]
            container = server.run("run", *options, *LIMITS, IMAGE, "/bin/sh", "-c", NOTE_WHAT_IS_ASKED)
            assert wait_until((tmp_path / "ready").exists, TIMEOUT)
            remove(engine, container)
        assert server.run("ps", "--all", "--quiet") == ""
        assert not (tmp_path / "asked").exists()
