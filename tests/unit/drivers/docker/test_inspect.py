"""Tests for reading the engine's descriptions: the properties of a container, and the progress of a pull."""

from __future__ import annotations

from typing import Any

import pytest

from rdo.drivers.docker import inspect as inspection
from rdo.drivers.docker.answer import EngineAnswer
from rdo.drivers.docker.image_source import LAYER_LIMIT, progress, update_layers
from rdo.drivers.docker.mounts import ContainerMount
from rdo.errors import ConnectError

ID = "0123456789abcdef"
STATE = {"Status": "running", "Running": True}


def inspected(**more: object) -> inspection.InspectedContainer:
    return inspection.container(EngineAnswer({"Id": ID, "State": STATE, **more}, "GET /x"))


def test_a_container_is_known_by_its_name_else_by_its_id() -> None:
    assert inspected(Name="/web").name == "web"
    assert inspected().name == "0123456789ab"


@pytest.mark.parametrize(
    ("status", "phrase"), [("paused", "is paused"), ("exited", "has exited"), ("created", "was never started")]
)
def test_its_state_can_be_described(status: str, phrase: str) -> None:
    assert f"`web` {inspected(State={**STATE, 'Status': status}).state}" == f"`web` {phrase}"


def test_the_shortest_of_several_names_is_listed() -> None:
    (listed,) = inspection.listing(EngineAnswer([{"Id": ID, "Names": ["/web/db", "/db"], "State": "exited"}], "GET /x"))
    assert (listed.name, listed.shown) == ("db", "`db` (exited)")


def test_mounts_of_a_container_include_its_tmpfs() -> None:
    mounts = [
        {"Type": "bind", "Source": "/a", "Destination": "/b", "RW": False},
        {"Type": "volume", "Destination": "/v"},
    ]
    found = inspected(Mounts=mounts, HostConfig={"Tmpfs": {"/run": ""}})
    assert list(found.mounts) == [
        ContainerMount("bind", "/a", "/b", True),
        ContainerMount("volume", "", "/v"),
        ContainerMount("tmpfs", "", "/run"),
    ]


def test_only_a_whole_local_volume_may_be_a_directory_of_this_machine() -> None:
    volumes = [
        {"Type": "volume", "Name": "code", "Driver": "local", "Destination": "/code"},
        {"Type": "volume", "Name": "code", "Driver": "local", "Destination": "/part"},
        {"Type": "volume", "Name": "far", "Driver": "nfs", "Destination": "/far"},
    ]
    host = {"Mounts": [{"Target": "/part", "VolumeOptions": {"Subpath": "a"}}, {"Target": "/x", "VolumeOptions": {}}]}
    found = inspected(Mounts=volumes, HostConfig=host)
    assert [mount.volume for mount in found.mounts] == ["code", "", ""]


@pytest.mark.parametrize(
    ("network", "published"),
    [
        (None, set()),
        ({"Ports": None}, set()),
        (
            {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": None, "53/udp": [], "x": []}},
            {(8080, 80)},
        ),
        (
            {"Ports": {"80/tcp": [{"HostIp": "::1", "HostPort": "81"}, {"HostIp": "", "HostPort": "80"}]}},
            {(81, 80), (80, 80)},
        ),
        ({"Ports": {"80/tcp": [{"HostIp": "192.0.2.1", "HostPort": "80"}, {"HostIp": "", "HostPort": ""}]}}, set()),
    ],
)
def test_the_tcp_ports_that_a_container_publishes_on_localhost_are_known(
    network: object, published: set[tuple[int, int]]
) -> None:
    assert inspected(NetworkSettings=network).published == published


@pytest.mark.parametrize(("mode", "has"), [("host", True), ("bridge", False)])
def test_a_container_may_have_the_network_of_its_host(mode: str, has: bool) -> None:
    assert inspected(HostConfig={"NetworkMode": mode}).has_host_network == has
    assert not inspected().has_host_network


@pytest.mark.parametrize(
    ("config", "workdir"), [({"WorkingDir": "/srv"}, "/srv"), ({"WorkingDir": ""}, "/"), (None, "/")]
)
def test_a_container_without_a_workdir_starts_in_the_root(config: object, workdir: str) -> None:
    assert inspected(Config=config).workdir == workdir


@pytest.mark.parametrize(
    ("state", "health"),
    [({}, ""), ({"Health": {"Status": "none"}}, ""), ({"Health": {"Status": "starting"}}, "starting")],
)
def test_health_is_the_result_of_the_check(state: dict[str, object], health: str) -> None:
    assert inspected(State={**STATE, **state}).state.health == health


def test_a_restarting_container_does_not_run() -> None:
    assert inspected(State=STATE).state.runs
    assert not inspected(State={**STATE, "Restarting": True}).state.runs


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        pytest.param({"State": None}, "`State` is not an object", id="no state"),
        pytest.param({"State": {}}, "`State.Running` is not true or false", id="an empty state"),
        pytest.param({"State": {"Running": "yes"}}, "`State.Running` is not true or false", id="a word for a truth"),
        pytest.param({"Id": "../x"}, "`Id` is not an id", id="a path for an id"),
        pytest.param({"Id": 7}, "`Id` is not text", id="a number for an id"),
        pytest.param({"Mounts": {}}, "`Mounts` is not a list", id="an object for a list"),
        pytest.param({"Mounts": [7]}, "`Mounts[0]` is not an object", id="a number in a list"),
        pytest.param({"Mounts": [{"Destination": None}]}, "`Mounts[0].Destination` is not text", id="no destination"),
        pytest.param({"Config": {"Labels": {"a": 1}}}, "`Config.Labels.a` is not text", id="a number for a label"),
        pytest.param({"Config": []}, "`Config` is not an object", id="a list for an object"),
        pytest.param({"Name": "\ud800"}, "`Name` is not text", id="half a letter"),
        pytest.param({"State": {**STATE, "ExitCode": 2**70}}, "`State.ExitCode` is not a number", id="a huge number"),
        pytest.param({"State": {**STATE, "ExitCode": True}}, "`State.ExitCode` is not a number", id="a truth"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(changed: dict[str, object], why: str) -> None:
    with pytest.raises(ConnectError) as caught:
        inspected(**changed)
    words = f"invalid answer from the Docker engine to `GET /x`: {why}; see whether `docker version` works"
    assert str(caught.value) == words


def test_what_is_not_a_list_is_named() -> None:
    with pytest.raises(ConnectError, match="it is not a list"):
        inspection.listing(EngineAnswer({}, "GET /x"))
    with pytest.raises(ConnectError, match=r"`\[0\].Names` is not a list of strings"):
        inspection.listing(EngineAnswer([{"Id": ID, "Names": [7]}], "GET /x"))


def entered(*messages: dict[str, Any]) -> dict[str, tuple[int, int]]:
    layers: dict[str, tuple[int, int]] = {}
    for message in messages:
        update_layers(layers, EngineAnswer(message, "POST /x"))
    return layers


def test_progress_counts_layers_and_bytes() -> None:
    layers = entered(
        {"status": "Pulling from library/x", "id": "latest"},
        {"status": "Pulling fs layer", "id": "a"},
        {"status": "Waiting", "id": "b"},
        {"status": "Downloading", "id": "a", "progressDetail": {"current": 1_000_000, "total": 4_000_000}},
        {"status": "Downloading", "id": "b", "progressDetail": {"current": 5_000_000, "total": 6_000_000}},
        {"status": "Download complete", "id": "b"},
        {"status": "Extracting", "id": "b", "progressDetail": {"current": 1, "total": 6_000_000}},
    )
    assert progress(layers) == "1 of 2 layers, 7 of 10 MB, 70 %"


def test_invalid_progress_is_bounded() -> None:
    detail = {"current": 9, "total": 3}
    assert entered({"status": "Downloading", "id": "a", "progressDetail": detail}) == {"a": (3, 3)}
    assert entered({"status": "Downloading", "id": "a", "progressDetail": {"current": -9, "total": -3}}) == {}
    assert len(entered(*({"status": "Waiting", "id": str(n)} for n in range(2 * LAYER_LIMIT)))) == LAYER_LIMIT
