"""Tests for known_hosts: which lines are understood, which hosts they match, and the resulting status of a key."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from pathlib import Path

import pytest

from rdo.drivers.ssh.known_hosts import (
    HostKey,
    HostKeyStatus,
    append,
    format_line,
    has_authority,
    judge,
    judge_certificate,
    known_kinds,
    load,
    parse,
)

SUPPORTED = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"]


def make_key(kind: str, numbers: bytes) -> HostKey:
    """A key in the format of the protocol."""
    return HostKey(kind, len(kind).to_bytes(4, "big") + kind.encode() + numbers)


KEY = make_key("ssh-ed25519", b"the key")
OTHER = make_key("ssh-ed25519", b"another key")


def line(patterns: str, key: HostKey = KEY, marker: str = "") -> str:
    return f"{marker} {patterns} {key.kind} {base64.b64encode(key.blob).decode()} comment".strip()


def status_of(text: str, *names: str, key: HostKey = KEY) -> HostKeyStatus:
    return judge(parse("file", text), names, key, SUPPORTED).status


@pytest.mark.parametrize(
    ("patterns", "name", "is_about"),
    [
        pytest.param("devbox", "devbox", True, id="the name itself"),
        pytest.param("devbox", "DevBox", True, id="in other case"),
        pytest.param("DevBox", "devbox", True, id="written in other case"),
        pytest.param("devbox", "devbox2", False, id="a longer name"),
        pytest.param("a,devbox,b", "devbox", True, id="one of several"),
        pytest.param("*.example.com", "a.b.example.com", True, id="a star for any text"),
        pytest.param("*.example.com", "example.com", False, id="a star needs the dot"),
        pytest.param("10.0.0.?", "10.0.0.7", True, id="a question mark for one character"),
        pytest.param("10.0.0.?", "10.0.0.77", False, id="and not for two"),
        pytest.param("*.example.com,!bad.example.com", "bad.example.com", False, id="a negated name"),
        pytest.param("!bad.example.com,*.example.com", "good.example.com", True, id="others beside a negated name"),
        pytest.param("!bad.example.com", "good.example.com", False, id="a negation alone matches nothing"),
        pytest.param("[devbox]:2222", "[devbox]:2222", True, id="a port"),
        pytest.param("[devbox]:2222", "devbox", False, id="a port that is not asked for"),
        pytest.param("[*]:2222", "[devbox]:2222", True, id="a star before a port"),
        pytest.param("|1|nonsense", "devbox", False, id="a broken hash"),
        pytest.param("|1|a|b", "devbox", False, id="a hash that is not base64"),
        pytest.param("|2|YWJj|YWJj", "devbox", False, id="a hash of an unknown kind"),
    ],
)
def test_a_line_matches_the_hosts_that_its_patterns_name(patterns: str, name: str, is_about: bool) -> None:
    (entry,) = parse("file", line(patterns))
    assert entry.is_about(name) is is_about


def test_a_hashed_line_matches_only_its_host() -> None:
    text = format_line("[devbox]:2222", KEY, b"s" * 20)
    (entry,) = parse("file", text)
    assert "devbox" not in text
    assert entry.is_about("[devbox]:2222")
    assert not entry.is_about("devbox")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "# comment",
        "devbox",
        "devbox ssh-ed25519",
        "devbox ssh-ed25519 %%%",
        "@unknown devbox ssh-ed25519 YWJj",
        "@revoked",
        line("devbox", marker="@cert-authority").replace(" ", "\t", 1),
        f"devbox ssh-rsa {line('x').split()[2]}",
        f"devbox SSH-ED25519 {line('x').split()[2]}",
        "\x00\udcff",
    ],
)
def test_a_line_without_a_valid_key_is_skipped(text: str) -> None:
    assert parse("file", text) == []


@pytest.mark.parametrize("text", [line("devbox", marker="@revoked").replace(" ", "\t", 1)])
def test_a_revoking_line_may_be_separated_by_a_tab(text: str) -> None:
    assert status_of(f"{line('devbox')}\n{text}", "devbox") is HostKeyStatus.REVOKED


def test_an_authority_may_be_separated_by_tabs() -> None:
    (entry,) = parse("file", line("devbox", marker="@cert-authority").replace(" ", "\t"))
    assert entry.marker == "@cert-authority"


def test_entries_know_their_file_and_line() -> None:
    entries = parse("file", f"# first\n\n{line('devbox')}\n")
    assert [(entry.path, entry.line) for entry in entries] == [("file", 3)]


def test_a_key_that_is_listed_is_known() -> None:
    assert status_of(line("devbox"), "devbox") is HostKeyStatus.KNOWN


def test_a_host_that_is_not_listed_is_unknown() -> None:
    assert status_of(line("elsewhere"), "devbox") is HostKeyStatus.UNKNOWN


def test_a_host_with_another_key_has_changed_and_the_line_is_named() -> None:
    verdict = judge(parse("file", line("devbox", OTHER)), ["devbox"], KEY, SUPPORTED)
    assert verdict.status is HostKeyStatus.CHANGED
    assert verdict.entry is not None
    assert verdict.entry.key == OTHER


def test_one_matching_line_among_others_is_enough() -> None:
    assert status_of(f"{line('devbox', OTHER)}\n{line('devbox')}", "devbox") is HostKeyStatus.KNOWN


def test_a_key_of_another_type_counts_as_a_change() -> None:
    known = make_key("ssh-rsa", b"rsa key")
    assert status_of(line("devbox", known), "devbox") is HostKeyStatus.CHANGED


def test_a_key_of_an_unsupported_type_is_ignored() -> None:
    assert status_of(line("devbox", make_key("ssh-dss", b"old")), "devbox") is HostKeyStatus.UNKNOWN


def test_a_revoked_key_is_refused_even_if_it_is_listed() -> None:
    text = f"{line('devbox')}\n{line('*', marker='@revoked')}"
    assert status_of(text, "devbox") is HostKeyStatus.REVOKED


def test_a_key_revoked_for_another_host_is_not_revoked() -> None:
    assert status_of(line("elsewhere", marker="@revoked"), "devbox") is HostKeyStatus.UNKNOWN


def test_each_revoking_line_applies() -> None:
    text = f"{line('elsewhere', marker='@revoked')}\n{line('devbox', marker='@revoked')}"
    assert status_of(text, "devbox") is HostKeyStatus.REVOKED


def test_the_key_of_an_authority_is_not_a_key_of_the_host() -> None:
    assert status_of(line("devbox", marker="@cert-authority"), "devbox") is HostKeyStatus.UNKNOWN
    assert known_kinds(parse("file", line("devbox", marker="@cert-authority")), ["devbox"]) == []


def test_a_key_known_under_the_plain_name_is_good_on_another_port() -> None:
    assert status_of(line("devbox"), "[devbox]:2222", "devbox") is HostKeyStatus.KNOWN


def test_another_key_under_the_plain_name_is_not_a_change_on_another_port() -> None:
    assert status_of(line("devbox", OTHER), "[devbox]:2222", "devbox") is HostKeyStatus.UNKNOWN


def test_known_types_come_in_the_order_of_the_files() -> None:
    rsa = make_key("ssh-rsa", b"r")
    entries = parse("file", f"{line('devbox', rsa)}\n{line('devbox')}\n{line('devbox', OTHER)}\n{line('x')}")
    assert known_kinds(entries, ["devbox"]) == ["ssh-rsa", "ssh-ed25519"]


def test_a_fingerprint_is_written_as_ssh_keygen_does() -> None:
    blob = base64.b64decode("AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl")  # github.com
    assert HostKey("ssh-ed25519", blob).fingerprint == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


@pytest.mark.parametrize(
    ("kind", "family"), [("ssh-ed25519", "ED25519"), ("ecdsa-sha2-nistp256", "ECDSA"), ("ssh-rsa", "RSA")]
)
def test_types_have_a_name_for_people(kind: str, family: str) -> None:
    assert HostKey(kind, b"").family == family


def test_a_new_file_is_private_and_so_is_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "home" / "known_hosts"
    append(str(path), format_line("devbox", KEY, None))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.key for entry in load([str(path)])] == [KEY]


def test_a_line_is_added_after_a_missing_newline(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(line("first"))
    append(str(path), format_line("second", OTHER, None))
    assert [entry.patterns for entry in load([str(path)])] == ["first", "second"]


def test_a_file_that_cannot_be_read_counts_as_empty(tmp_path: Path) -> None:
    assert load([str(tmp_path / "missing"), str(tmp_path), os.devnull]) == []


def test_bytes_that_are_not_utf8_invalidate_only_their_line(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_bytes(b"\xff\xfe junk\n" + line("devbox").encode() + b"\n")
    assert [entry.patterns for entry in load([str(path)])] == ["devbox"]


CA = make_key("ssh-ed25519", b"an authority")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], HostKeyStatus.UNKNOWN),
        ([line("devbox", CA)], HostKeyStatus.UNKNOWN),
        ([line("devbox", CA, "@cert-authority")], HostKeyStatus.KNOWN),
        ([line("other", CA, "@cert-authority")], HostKeyStatus.UNKNOWN),
        ([line("devbox", OTHER, "@cert-authority")], HostKeyStatus.UNKNOWN),
        ([line("*", CA, "@cert-authority"), line("*", CA, "@revoked")], HostKeyStatus.REVOKED),
        ([line("*", CA, "@cert-authority"), line("*", KEY, "@revoked")], HostKeyStatus.REVOKED),
        ([line("*", CA, "@cert-authority"), line("other", CA, "@revoked")], HostKeyStatus.KNOWN),
    ],
)
def test_a_certificate_is_known_by_its_authority(lines: list[str], expected: HostKeyStatus) -> None:
    entries = parse("file", "\n".join(lines))
    assert judge_certificate(entries, ["devbox"], KEY, CA.blob).status is expected


def test_whether_there_is_an_authority_for_a_host() -> None:
    entries = parse("file", line("[devbox]:*", CA, "@cert-authority"))
    assert has_authority(entries, ["other", "[devbox]:22"])
    assert not has_authority(entries, ["devbox"])


def test_a_fingerprint_is_written_as_ssh_keygen_writes_it() -> None:
    digest = hashlib.md5(KEY.blob, usedforsecurity=False).digest()
    assert KEY.fingerprint_by("MD5") == f"MD5:{digest.hex(':')}"
    assert KEY.fingerprint == KEY.fingerprint_by("SHA256")
