"""Tests for which URLs are opened for a target, and which of its ports they refer to."""

from __future__ import annotations

from functools import partial
from urllib import parse

import pytest

from rdo.master.browser_url import SIZE_LIMIT, fault, ports, question

quote = partial(parse.quote, safe="")

LOGIN = "https://login.example/authorize?client_id=a&redirect_uri="


@pytest.mark.parametrize(
    "url",
    [
        "http://a", "https://a.example/b?c=d#e", "HTTPS://A/", "http://[::1]:80/", "http://user:word@host/%20",
        "https://b\u00fccher.example/\u00e9", "http://a/'\"`$(b);&|<>*", "http://a/" + "b" * (SIZE_LIMIT - 9),
        "http://a:99999/", "http://[::1/",
    ],
)  # fmt: skip
def test_web_urls_may_be_opened(url: str) -> None:
    assert fault(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "", "javascript:alert(1)", "file:///etc/passwd", "ftp://a/", "data:text/html,x", "http:", "http://", "https:///a",
        "http:/a", "//a", "-h", "--help", " http://a", "x http://a", "view-source:http://a", "http://?a", "http://#a",
        "vscode://a", "ssh://a",
    ],
)  # fmt: skip
def test_other_urls_may_not_be_opened(url: str) -> None:
    assert fault(url) == "is not a URL of http or https"


@pytest.mark.parametrize(
    "char", ["\n", "\r", "\t", "\0", "\x1b", "\x7f", "\x80", "\x9b", " ", "\u00a0", "\\", "\udcff", "\u2028"]
)
def test_invalid_characters_are_refused(char: str) -> None:
    assert fault(f"http://a/{char}b") in ("contains characters that no URL has", "is not a URL of http or https")
    assert fault(f"http://a{char}") != ""


def test_a_long_url_is_refused() -> None:
    assert fault("http://a/" + "\u00e9" * (SIZE_LIMIT // 2)) == "is longer than 8192 bytes"


def test_only_a_few_ports_may_be_referred_to() -> None:
    urls = [quote(f"http://localhost:{port}") for port in range(9000, 9005)]
    assert fault("http://a/?" + "&".join(f"a={url}" for url in urls[:4])) == ""
    assert fault("http://a/?" + "&".join(f"a={url}" for url in urls)) == "leads to 5 ports of this machine"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("http://localhost:3000/a", [3000], id="localhost"),
        pytest.param("http://LocalHost:3000", [3000], id="in capitals"),
        pytest.param("http://app.localhost:3000", [3000], id="below localhost"),
        pytest.param("http://localhost.:3000", [3000], id="with a dot"),
        pytest.param("http://127.0.0.1:3000", [3000], id="IPv4"),
        pytest.param("http://127.1:3000", [3000], id="IPv4, short"),
        pytest.param("http://2130706433:3000", [3000], id="IPv4 as one number"),
        pytest.param("http://0x7f.1:3000", [3000], id="IPv4, hexadecimal"),
        pytest.param("http://0X7F000001.:3000", [3000], id="IPv4, hexadecimal in capitals with a dot"),
        pytest.param("http://0177.0.0.1:3000", [3000], id="IPv4, octal"),
        pytest.param("http://0:3000", [3000], id="all addresses as one number"),
        pytest.param("http://0x:3000", [3000], id="all addresses, hexadecimal"),
        pytest.param("http://%31%32%37.0.0.1:3000", [3000], id="IPv4, quoted"),
        pytest.param("http://l%6fcalhost:3000", [3000], id="localhost, quoted"),
        pytest.param("http://\uff11\uff12\uff17\u30020\uff0e0\uff611:3000", [3000], id="IPv4 in other digits"),
        pytest.param("http://\uff4cocal\u00adh\u200bost:3000", [3000], id="localhost in other letters"),
        pytest.param("http://[::ffff:127.0.0.1]:3000", [3000], id="IPv4 in IPv6"),
        pytest.param("http://[0:0:0:0:0:0:0:1]:3000", [3000], id="IPv6, long"),
        pytest.param("http://[::1]:3000", [3000], id="IPv6"),
        pytest.param("http://0.0.0.0:3000", [3000], id="all addresses"),
        pytest.param("http://[::]:3000", [3000], id="all addresses of IPv6"),
        pytest.param("http://a:b@localhost:3000", [3000], id="with a user"),
        pytest.param("http://localhost", [80], id="http"),
        pytest.param("https://localhost/", [443], id="https"),
        pytest.param("http://localhost@a.example:3000", [], id="a user of that name"),
        pytest.param("http://localhost.example:3000", [], id="another host"),
        pytest.param("http://notlocalhost:3000", [], id="a longer name"),
        pytest.param("http://1127.0.0.1:3000", [], id="no address"),
        pytest.param("http://127.0.0.0.1:3000", [], id="no address: five numbers"),
        pytest.param("http://127.0.0.256:3000", [], id="no address: too large a number"),
        pytest.param("http://127.09.0.1:3000", [], id="no address: no number"),
        pytest.param("http://4294967296:3000", [], id="no address: beyond the last"),
        pytest.param("http://128.0.0.1:3000", [], id="another address"),
        pytest.param("http://[::2]:3000", [], id="another address of IPv6"),
        pytest.param("http://[::g]:3000", [], id="no address of IPv6"),
        pytest.param("http://[v1.a:b]:3000", [], id="an address of a kind to come"),
        pytest.param("http://localhost:99999", [], id="no port"),
        pytest.param("http://[::1:3000", [], id="no host"),
        pytest.param(LOGIN + "http%3A%2F%2Flocalhost%3A8085%2Fcb&x=y", [8085], id="a redirect"),
        pytest.param(LOGIN + "http://127.0.0.1:8085/cb", [8085], id="a redirect that is not quoted"),
        pytest.param(LOGIN + "https%3A%2F%2Fa.example%2Fcb", [], id="a redirect elsewhere"),
        pytest.param(LOGIN + "localhost%3A8085", [], id="a redirect to no URL"),
        pytest.param("https://a/#redirect=http%3A%2F%2Flocalhost%3A8085", [8085], id="in the fragment"),
        pytest.param("http://localhost:1/?next=" + quote(LOGIN + quote("http://localhost:2")), [1, 2], id="nested"),
        pytest.param("http://localhost:1/?a=http://localhost:1&b=http://localhost:2", [1, 2], id="each once"),
        pytest.param("not a URL", [], id="no URL"),
    ],
)  # fmt: skip
def test_ports_of_this_machine_are_found(url: str, expected: list[int]) -> None:
    assert ports(url) == expected


def test_nesting_is_bounded() -> None:
    url = "http://localhost:7"
    for _ in range(5):
        url = "http://a/?b=" + quote(url)
    assert ports(url) == []


def test_the_question_escapes_invisible_characters() -> None:
    assert question("http://a/\u202eb\u200b") == "rdo: open http://a/\\u202eb\\u200b here? [y/N] "
