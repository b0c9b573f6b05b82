from __future__ import annotations

import pytest

from rdo.config.forwards import (
    EVERYWHERE,
    Endpoint,
    Forward,
    ForwardKind,
    InvalidForward,
    fault,
    parse,
    parse_dynamic,
    parse_remote,
)

DB = Endpoint("db", 80)


def local(port: int) -> Endpoint:
    return Endpoint("localhost", port)


@pytest.mark.parametrize(
    ("word", "listen", "destination"),
    [
        ("3000", Endpoint(port=3000), local(3000)),
        ("5433:5432", Endpoint(port=5433), local(5432)),
        ("db:80", Endpoint(port=80), DB),
        ("[::1]:80", Endpoint(port=80), Endpoint("::1", 80)),
        ("127.0.0.1:80", Endpoint(port=80), Endpoint("127.0.0.1", 80)),
        ("8080:db:80", Endpoint(port=8080), DB),
        ("8080:[fe80::1%eth0]:80", Endpoint(port=8080), Endpoint("fe80::1%eth0", 80)),
        ("8080:10:80", Endpoint(port=8080), Endpoint("10", 80)),
        ("localhost:8080:db:80", Endpoint(port=8080), DB),
        ("127.0.0.1:8080:db:80", Endpoint("127.0.0.1", 8080), DB),
        ("[::1]:8080:db:80", Endpoint("::1", 8080), DB),
        ("127.0.0.1:8080:80", Endpoint("127.0.0.1", 8080), local(80)),
        ("*:8080:db:80", Endpoint(EVERYWHERE, 8080), DB),
        (":8080:db:80", Endpoint(EVERYWHERE, 8080), DB),
        ("0.0.0.0:8080:db:80", Endpoint("0.0.0.0", 8080), DB),
        ("unix:/run/d.sock", Endpoint(), Endpoint(path="/run/d.sock")),
        ("/run/d.sock", Endpoint(), Endpoint(path="/run/d.sock")),
        ("2375:unix:/run/d.sock", Endpoint(port=2375), Endpoint(path="/run/d.sock")),
        ("2375:/run/d.sock", Endpoint(port=2375), Endpoint(path="/run/d.sock")),
        ("unix:/tmp/here:unix:/run/there", Endpoint(path="/tmp/here"), Endpoint(path="/run/there")),
        ("/tmp/here:/run/there", Endpoint(path="/tmp/here"), Endpoint(path="/run/there")),
        ("/tmp/here:80", Endpoint(path="/tmp/here"), local(80)),
        ("/tmp/here:db:80", Endpoint(path="/tmp/here"), DB),
    ],
)
def test_a_forward_is_written_as_for_ssh_and_docker(word: str, listen: Endpoint, destination: Endpoint) -> None:
    assert parse(word) == Forward(listen, destination)
    assert parse(word + "!") == Forward(listen, destination, exact=True)
    assert fault(word) == ""


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("", "is not of the form"),
        ("!", "is not of the form"),
        (":", "is not of the form"),
        ("unix:", "is not of the form"),
        ("0", "not between 1 and 65535"),
        ("65536", "not between 1 and 65535"),
        ("1" * 500, "not between 1 and 65535"),
        ("http", "has `http` where a port should be"),
        ("8080:db", "has `db` where a port should be"),
        ("²", "has `²` where a port should be"),
        ("8080::80", "is not of the form"),
        ("1:2:3:4:5", "is not of the form"),
        ("[::1", "is not of the form"),
        ("[::1]80", "is not of the form"),
        ("8080:a;b:80", "has a host that contains `;`"),
        ("8080!:80", "has a `!` that is not at its end"),
        ("8080:db!:80", "has a `!` that is not at its end"),
        ("8080:-oX:80", "has a host that begins with `-`"),
        ("*:/run/there", "where a port should be"),
        ("3000\n", "contains"),
        ("/" + "x" * 120, "longer than 103 bytes"),
        ("/" + "x" * 2000, "longer than 1,024 characters"),
    ],
)
def test_what_is_not_a_forward_is_named(word: str, says: str) -> None:
    assert says in fault(word)
    with pytest.raises(InvalidForward):
        parse(word)


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [
        (Endpoint(port=80), "80"),
        (DB, "db:80"),
        (Endpoint("::1", 80), "[::1]:80"),
        (Endpoint(path="/run/x"), "unix:/run/x"),
    ],
)
def test_an_endpoint_is_shown_as_it_can_be_written(endpoint: Endpoint, text: str) -> None:
    assert str(endpoint) == text


@pytest.mark.parametrize(("host", "loopback"), [("", True), ("127.0.0.2", True), ("::1", True), ("*", False)])
def test_only_loopback_addresses_are_closed_to_other_machines(host: str, loopback: bool) -> None:
    assert Endpoint(host, 80).is_loopback is loopback


@pytest.mark.parametrize(
    ("word", "listen", "destination"),
    [
        ("4000", Endpoint(port=4000), Endpoint("localhost", 4000)),
        ("4000:db:5432", Endpoint(port=4000), Endpoint("db", 5432)),
        ("0:3000", Endpoint(), Endpoint("localhost", 3000)),
        ("unix:/s", Endpoint(path="/s"), Endpoint(path="/s")),
        ("/there:/here", Endpoint(path="/there"), Endpoint(path="/here")),
    ],
)
def test_a_reverse_forward_has_its_listening_end_first(word: str, listen: Endpoint, destination: Endpoint) -> None:
    assert parse_remote(word) == Forward(listen, destination, kind=ForwardKind.REMOTE)


@pytest.mark.parametrize("word", ["", "0", "0:", "0:0", "1:2:3:4:5", "0:db"])
def test_what_is_not_a_reverse_forward_is_invalid(word: str) -> None:
    with pytest.raises(InvalidForward):
        parse_remote(word)


@pytest.mark.parametrize(
    ("word", "listen", "exact"),
    [
        ("1080", Endpoint(port=1080), False),
        ("1080!", Endpoint(port=1080), True),
        ("localhost:1080", Endpoint(port=1080), False),
        ("[::1]:1080", Endpoint("::1", 1080), False),
        ("*:1080", Endpoint(EVERYWHERE, 1080), False),
    ],
)
def test_a_socks_proxy_has_only_a_listening_end(word: str, listen: Endpoint, exact: bool) -> None:
    assert parse_dynamic(word) == Forward(listen, Endpoint(), exact, ForwardKind.DYNAMIC)


@pytest.mark.parametrize("word", ["", "0", "a", "1:2:3", "/s", "unix:/s", "1\n", "x" * 5000])
def test_what_is_not_a_socks_proxy_is_invalid(word: str) -> None:
    with pytest.raises(InvalidForward):
        parse_dynamic(word)
