"""Tests for published ports as words of the key `forward`."""

from __future__ import annotations

import pytest

from rdo.cli.init import published_ports
from rdo.cli.init.published_ports import NotForwarded


@pytest.mark.parametrize(
    ("published", "words"),
    [
        ("80", ["80"]),
        ("8080:80", ["8080:80"]),
        ("80:80/tcp", ["80"]),
        ("127.0.0.1:8080:80", ["8080:80"]),
        ("[::1]:8080:80", ["8080:80"]),
        ("127.0.0.1::80", ["80"]),
        ("3000-3002", ["3000", "3001", "3002"]),
        ("9090-9091:80-81", ["9090:80", "9091:81"]),
        ("${PORT:-8080}:80", ["8080:80"]),
        ("${PORT-8080}:${TO:-80}", ["8080:80"]),
    ],
)
def test_each_form_gives_a_word_for_each_port(published: str, words: list[str]) -> None:
    assert published_ports.words(published) == words


@pytest.mark.parametrize(
    "published",
    ["", "x", "0", "70000", "8080:", "8080:x", "80-", "-80", "81-80", "1-1000", "8000-9000:80", "1-3:1-2",
     "${PORT}:80", "53:53/udp", "²"],
)  # fmt: skip
def test_an_unclear_port_is_not_guessed(published: str) -> None:
    with pytest.raises(NotForwarded):
        published_ports.words(published)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"target": "80"}, ["80"]),
        ({"target": "80", "published": "8080", "protocol": "tcp", "mode": "host"}, ["8080:80"]),
        ({"target": "80", "published": "", "host_ip": "0.0.0.0"}, ["80"]),
    ],
)
def test_the_long_form_gives_the_same(table: dict[str, str], words: list[str]) -> None:
    assert published_ports.of_table(table) == words


@pytest.mark.parametrize("table", [{}, {"published": "80"}, {"target": "53", "protocol": "udp"}])
def test_a_table_without_a_tcp_port_gives_no_word(table: dict[str, str]) -> None:
    with pytest.raises(NotForwarded):
        published_ports.of_table(table)
