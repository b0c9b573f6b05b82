"""Tests for the target's report of its sockets, and for the address by which only a command's own port is reached."""

from __future__ import annotations

import pytest

from rdo.forward.listening import ListeningPort, parse

ANY6 = "0" * 32


def port(*lines: str) -> ListeningPort:
    (found,) = parse(line.encode() for line in lines)
    return found


def test_a_line_consists_of_shell_process_address_and_program() -> None:
    assert port("100 101 0100007F:0BB8 my server") == ListeningPort(100, 3000, "127.0.0.1", 101, "my server")


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("0100007F:0BB8", "127.0.0.1"),
        ("00000000:0BB8", "127.0.0.1"),
        ("7F000001:0BB8", "127.0.0.1"),
        ("0200007F:0BB8", "127.0.0.2"),
        ("0A00A8C0:0BB8", "192.168.0.10"),
        (f"{ANY6}:0BB8", "localhost"),
        ("00000000000000000000000001000000:0BB8", "::1"),
        ("0000000000000000FFFF00000100007F:0BB8", "127.0.0.1"),
        ("0000000000000000FFFF000000000000:0BB8", "127.0.0.1"),
        ("B80D0120000000000000000001000000:0BB8", "2001:db8::1"),
        ("127.0.0.1:3000", "127.0.0.1"),
        ("127.0.0.53%lo:3000", "127.0.0.53"),
        ("0.0.0.0:3000", "127.0.0.1"),
        ("*:3000", "localhost"),
        ("[::]:3000", "localhost"),
        ("[::1]:3000", "::1"),
        ("[::ffff:127.0.0.1]:3000", "127.0.0.1"),
    ],
)
def test_an_address_may_be_in_kernel_format_or_in_text(address: str, host: str) -> None:
    found = port(f"1 2 {address} x")
    assert (found.host, found.port) == (host, 3000)


@pytest.mark.parametrize(
    ("own", "others", "host"),
    [
        (["127.0.0.1", "[::1]"], [], "localhost"),
        (["*"], ["127.0.0.1"], "::1"),
        (["*"], ["0.0.0.0"], "::1"),
        (["*"], ["[::1]"], "localhost"),
        (["0.0.0.0"], ["[::1]"], "127.0.0.1"),
        (["192.168.0.10"], ["127.0.0.1"], "192.168.0.10"),
    ],
)
def test_others_sockets_at_the_same_port_are_not_reached(own: list[str], others: list[str], host: str) -> None:
    lines = [f"1 2 {address}:3000 x" for address in own] + [f"0 0 {address}:3000 -" for address in others]
    assert port(*lines).host == host


def test_a_port_of_two_commands_belongs_to_the_first() -> None:
    assert port("7 8 [::1]:3000 b", "5 6 127.0.0.1:3000 a") == ListeningPort(5, 3000, "127.0.0.1", 6, "a")


def test_ports_are_sorted_and_without_those_of_others() -> None:
    lines = [b"1 2 127.0.0.1:3001 x", b"0 0 127.0.0.1:22 -", b"1 3 127.0.0.1:3000 x"]
    assert [found.port for found in parse(lines)] == [3000, 3001]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"1 2 3",
        b"x 2 127.0.0.1:3000 x",
        b"1 2 127.0.0.1:0 x",
        b"1 2 127.0.0.1:70000 x",
        b"1 2 127.0.0.1:0BB8 x",
        b"1 2 localhost:3000 x",
        b"1 2 \xff:3000 x",
        b"1 2 0100007G:0BB8 x",
        b"1 2 0100007F:FFFFF x",
        b"01 2 127.0.0.1:3000 x",
    ],
)
def test_other_lines_are_skipped(line: bytes) -> None:
    assert parse([line]) == []


def test_an_odd_program_name_is_truncated_and_may_be_any_bytes() -> None:
    assert len(port("1 2 127.0.0.1:3000 " + "x" * 10_000).process) < 50
    (found,) = parse([b"1 2 127.0.0.1:3000 \xff"])
    assert found.process == "\udcff"
