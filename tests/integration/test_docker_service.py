"""Tests for services of compose, which are found by the labels of their containers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rdo.config.schema import Settings
from rdo.drivers.docker.driver import DockerDriver
from rdo.errors import ConnectError
from tests.docker_client import Make, connections, output
from tests.docker_engine import DockerEngine


def labels(service: str, number: int, directory: Path, **more: str) -> dict[str, str]:
    prefix = "com.docker.compose"
    return {
        f"{prefix}.service": service,
        f"{prefix}.container-number": str(number),
        f"{prefix}.project.working_dir": str(directory),
        f"{prefix}.config-hash": "0",
        **{f"{prefix}.{key}": value for key, value in more.items()},
    }


def test_a_service_is_found_by_the_labels_of_compose(docker_engine: DockerEngine, make: Make, tmp_path: Path) -> None:
    below = tmp_path / "deep" / "er"
    below.mkdir(parents=True)
    options: dict[str, Any] = {"mounts": {tmp_path: "/app"}}
    with (
        docker_engine.container(name="second", hostname="second", labels=labels("web", 2, tmp_path), **options),
        docker_engine.container(name="first", hostname="first", labels=labels("web", 1, tmp_path), **options) as first,
        docker_engine.container(hostname="once", labels=labels("web", 1, tmp_path, oneoff="True"), **options),
        docker_engine.container(hostname="other", labels=labels("web", 1, tmp_path / "other")),
        docker_engine.client() as client,
        connections({"DOCKER_HOST": docker_engine.host}) as connect,
    ):
        driver = make(service="web", root=below)
        with pytest.raises(ConnectError, match=r"several containers: `first` \(running\), `second`"):
            driver.roots()
        client.containers.get(first).stop(timeout=0)
        assert output(connect(driver), "hostname") == "second"
        assert driver.target == "service web"
        with pytest.raises(
            ConnectError, match=r"service `wbe` has no container: the project has `web`; did you mean `web`"
        ):
            make(service="wbe", root=below).roots()
        with pytest.raises(ConnectError, match=r"no service `web`: .*; `docker compose -f FILE up -d web`"):
            make(service="web", root=Path("/proc")).roots()


def test_the_compose_project_that_the_environment_names_is_used(docker_engine: DockerEngine, tmp_path: Path) -> None:
    mine, other = labels("web", 1, tmp_path, project="mine"), labels("web", 1, tmp_path / "x", project="other")

    def driver(**variables: str) -> DockerDriver:
        environment = {"DOCKER_HOST": docker_engine.host, **variables}
        return DockerDriver(Settings(service="web"), str(tmp_path), "default", environment)

    with (
        docker_engine.container(runs=False, labels=mine, mounts={tmp_path: "/mine"}),
        docker_engine.container(runs=False, labels=other, mounts={tmp_path: "/other"}),
    ):
        assert [root.remote for root in driver().roots()] == ["/mine"]
        assert [root.remote for root in driver(COMPOSE_PROJECT_NAME="other").roots()] == ["/other"]
        assert [root.remote for root in driver(COMPOSE_FILE="x/compose.yaml").roots()] == ["/other"]
        with pytest.raises(ConnectError) as caught:
            driver(COMPOSE_PROJECT_NAME="third").roots()
    assert str(caught.value) == (
        "there is no service `web`: the compose project `third` has no container; "
        "`docker compose -f FILE up -d web`, or set `container`"
    )


def test_the_hint_for_a_service_that_is_not_up_names_its_file(make: Make, tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "compose.yaml").touch()
    hint = f"`docker compose -f docker/compose.yaml up -d web` in `{tmp_path}`"
    with pytest.raises(ConnectError) as caught:
        make(service="web").roots()
    assert str(caught.value).endswith(f"; {hint}")
    (tmp_path / "compose.yaml").touch()
    with pytest.raises(ConnectError, match=r"; `docker compose up -d web`$"):
        make(service="web").roots()
