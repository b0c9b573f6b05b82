"""Tests for the forwards of the ssh configuration, as `ssh -G` prints them, and as the fallback reader does."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rdo.config.forwards import EVERYWHERE, NO_FORWARDS, Endpoint, Forward, ForwardKind, ForwardSet
from rdo.drivers.ssh.query_forwards import forwards

LOCAL, REMOTE, DYNAMIC = ForwardKind.LOCAL, ForwardKind.REMOTE, ForwardKind.DYNAMIC


def forward(listen: Endpoint, destination: Endpoint, kind: ForwardKind) -> Forward:
    return Forward(listen, destination, exact=True, kind=kind)


@pytest.mark.parametrize(
    ("key", "value", "listen", "destination"),
    [
        ("localforward", "3000 [localhost]:3001", Endpoint(port=3000), Endpoint("localhost", 3001)),
        ("localforward", "3000 localhost:3001", Endpoint(port=3000), Endpoint("localhost", 3001)),
        ("localforward", "[localhost]:1 [::1]:80", Endpoint(port=1), Endpoint("::1", 80)),
        ("localforward", "[127.0.0.1]:1 [db]:80", Endpoint("127.0.0.1", 1), Endpoint("db", 80)),
        ("localforward", "[*]:1 [db]:80", Endpoint(EVERYWHERE, 1), Endpoint("db", 80)),
        ("localforward", "[]:1 [db]:80", Endpoint(EVERYWHERE, 1), Endpoint("db", 80)),
        ("localforward", "/a b/s /c d/t", Endpoint(path="/a b/s"), Endpoint(path="/c d/t")),
        ("localforward", "/s [db]:80", Endpoint(path="/s"), Endpoint("db", 80)),
        ("localforward", "1 /t", Endpoint(port=1), Endpoint(path="/t")),
        ("remoteforward", "0 [localhost]:1", Endpoint(), Endpoint("localhost", 1)),
        ("remoteforward", "[*]:4000 [db]:1", Endpoint(EVERYWHERE, 4000), Endpoint("db", 1)),
        ("dynamicforward", "1080", Endpoint(port=1080), Endpoint()),
        ("dynamicforward", "[::1]:1080", Endpoint("::1", 1080), Endpoint()),
    ],
)
def test_each_form_is_understood(key: str, value: str, listen: Endpoint, destination: Endpoint) -> None:
    kind = ForwardKind(key.removesuffix("forward"))
    assert forwards({key: [value]}).forwards == (forward(listen, destination, kind),)


def test_a_repeated_forward_to_a_socket_is_not_a_proxy() -> None:
    found = {"dynamicforward": ["/a", "3007", "1080"], "localforward": ["/a /b", "3007 /b"]}
    assert [each.listen for each in forwards(found).forwards if each.kind is DYNAMIC] == [Endpoint(port=1080)]


@pytest.mark.parametrize("value", ["4005 [socks]:0", "4005"])
@pytest.mark.parametrize(
    ("permit", "permitted"),
    [
        ("", None),
        ("any", None),
        ("none", ()),
        ("db:80 [::1]:*  *:443", (Endpoint("db", 80), Endpoint("::1", 0), Endpoint(EVERYWHERE, 443))),
    ],
)
def test_a_proxy_for_the_target_connects_only_where_it_may(
    value: str, permit: str, permitted: tuple[Endpoint, ...] | None
) -> None:
    (found,) = forwards({"remoteforward": [value], "permitremoteopen": [permit]}).forwards
    assert found == Forward(Endpoint(port=4005), Endpoint(), True, REMOTE, permitted)


def test_gateway_ports_applies_to_forwards_without_an_address() -> None:
    found = {
        "gatewayports": ["yes"],
        "localforward": ["1 [a]:1", "[::1]:2 [a]:1", "/s /t"],
        "dynamicforward": ["3"],
        "remoteforward": ["4 [a]:1"],
    }
    hosts = [each.listen.host for each in forwards(found).forwards]
    assert hosts == [EVERYWHERE, "::1", "", EVERYWHERE, ""]


def test_all_are_cleared() -> None:
    assert forwards({"clearallforwardings": ["yes"], "localforward": ["1 [a]:1"]}) == NO_FORWARDS


def test_their_settings_are_read_too() -> None:
    found = {"exitonforwardfailure": ["yes"], "streamlocalbindmask": ["0117"], "streamlocalbindunlink": ["yes"]}
    assert forwards(found) == ForwardSet((), True, 0o660, True)
    assert forwards({}) == NO_FORWARDS


@pytest.mark.parametrize("value", ["", "1", "a [b]:1", "1 b", "99999 [b]:1", "1 [b]:x"])
def test_an_invalid_forward_is_an_error(value: str) -> None:
    with pytest.raises(ValueError, match="LocalForward cannot be"):
        forwards({"localforward": [value]})


@pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed")
def test_what_the_installed_ssh_prints_is_understood(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "LocalForward 3000 localhost:3001\nLocalForward *:3003 db:80\nLocalForward [::1]:3006 db:80\n"
        "LocalForward /tmp/a.sock /tmp/b.sock\nLocalForward 3007 /tmp/b.sock\nRemoteForward 4000 localhost:4001\n"
        "RemoteForward 4005\nRemoteForward /tmp/r.sock localhost:1\nDynamicForward 1080\nDynamicForward *:1081\n"
    )
    answer = subprocess.run(["ssh", "-G", "-F", str(config), "box"], capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = {}
    for line in answer.stdout.split("\n"):
        found.setdefault(line.partition(" ")[0], []).append(line.partition(" ")[2])
    db, socket = Endpoint("db", 80), Endpoint(path="/tmp/b.sock")
    assert set(forwards(found).forwards) == {
        forward(Endpoint(port=3000), Endpoint("localhost", 3001), LOCAL),
        forward(Endpoint(EVERYWHERE, 3003), db, LOCAL),
        forward(Endpoint("::1", 3006), db, LOCAL),
        forward(Endpoint(path="/tmp/a.sock"), socket, LOCAL),
        forward(Endpoint(port=3007), socket, LOCAL),
        forward(Endpoint(port=4000), Endpoint("localhost", 4001), REMOTE),
        forward(Endpoint(port=4005), Endpoint(), REMOTE),
        forward(Endpoint(path="/tmp/r.sock"), Endpoint("localhost", 1), REMOTE),
        forward(Endpoint(port=1080), Endpoint(), DYNAMIC),
        forward(Endpoint(EVERYWHERE, 1081), Endpoint(), DYNAMIC),
    }
