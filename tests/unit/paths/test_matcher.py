"""Tests for which occurrences of a directory are recognized: what may precede and follow it, in paths and in URLs."""

from __future__ import annotations

import pytest

from rdo.paths.matcher import RootMatcher

LOCAL = {b"/srv": b"/l", b"/srv/my app": b"/local/my app", b"/srv/my app/lib": b"/lib", b"/vagrant": b"/home/me/it"}
ROOTS = RootMatcher(LOCAL)


def replaced(roots: RootMatcher, text: bytes) -> bytes:
    """The text with all occurrences replaced."""
    parts, end = [], 0
    for found in roots.find(text):
        parts += [text[end : found.start], found.local]
        end = found.end
    return b"".join(parts) + text[end:]


def check(text: str, becomes: str) -> None:
    """Check that both methods of replacing give the same, where both apply."""
    assert replaced(ROOTS, text.encode()).decode() == becomes
    if "file:" not in text:
        assert ROOTS.rewritten(text.encode()).decode() == becomes


@pytest.mark.parametrize(
    "before",
    [
        "", "\n", " ", "\t", '"', "'", "`", "(", "[", "{", "<", ">", ":", "=", ",", ";", "@", "|", "&", "!", "#", "$",
        "\\", "\a", "\r", "-I", " -L", "('-I", ",-I", "=-I", "\u2018", "\u201c", "\u2192", "\u2502", "\xab", "\xa0",
        "\u300c", "\uff1a", "user@vm:", "--dir=", "NAME=@", "a:", "-Wl,-rpath,", "[Errno 2] No such file: '",
    ],
)  # fmt: skip
def test_a_path_begins_after(before: str) -> None:
    check(f"{before}/vagrant/x.py:12", f"{before}/home/me/it/x.py:12")


@pytest.mark.parametrize(
    "before",
    [
        "a", "Z", "9", "_", ".", "..", "/", "//", "-", "+", "}", ")", "]", "*", "?", "%", "\xe9", "\u4e2d", "\u0416",
        "x-I", "--I", "/-I", "\xe9-I", "-isystem", "http://host", "ssh://me@host", "vscode://file", "${HOME}", "~",
    ],
)  # fmt: skip
def test_no_path_begins_after(before: str) -> None:
    check(f"{before}/vagrant/x", f"{before}/vagrant/x")


@pytest.mark.parametrize(
    "behind",
    [
        "", "/", "/x", "/../x", ":12", ":", " ", "\n", "'", '"', "`", ")", "]", ">", ",", ";", "=", "#", "$ ", "%", "&",
        "|", "?", "!", "*", "\\", "\0", "\x1b[2J", ".", "...", ". ", ".)", "....x", "\u2019", "\u201d", "\xbb",
        "\uff1a", "\u300d",
    ],
)  # fmt: skip
def test_a_root_ends_before(behind: str) -> None:
    check(f"/vagrant{behind}", f"/home/me/it{behind}")


@pytest.mark.parametrize(
    "behind",
    ["2", "s", "_", "-old", "~", "+", "@tmp", ".bak", "..x", "...x", "./x", "../x", ".~", "\xe9", "\u4e2d", "\uac00"],
)
def test_a_name_continues_with(behind: str) -> None:
    check(f"/vagrant{behind}", f"/vagrant{behind}")


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("/srv/my app/lib/x", "/lib/x"),
        ("/srv/my app/libs", "/local/my app/libs"),
        ("/srv/my app/x", "/local/my app/x"),
        ("/srv/my apple", "/l/my apple"),
        ("/srv/x", "/l/x"),
        ("/srv2/my app", "/srv2/my app"),
        ("/srv:/vagrant:/usr", "/l:/home/me/it:/usr"),
        ("/srv /srv/my app (/vagrant)", "/l /local/my app (/home/me/it)"),
    ],
)
def test_the_longest_root_wins(text: str, becomes: str) -> None:
    check(text, becomes)


@pytest.mark.parametrize("head", ["file://", "file://localhost", "file:", "git+file://", "jar:file:", "(file://"])
def test_file_urls_are_paths_too_and_keep_their_encoding(head: str) -> None:
    check(f"{head}/vagrant/x", f"{head}/home/me/it/x")
    check(f"{head}/srv/my%20app/x", f"{head}/local/my%20app/x")
    check(f"{head}/srv/my app/x", f"{head}/local/my app/x")
    check(f"{head}/srv/my%20app", f"{head}/local/my%20app")


@pytest.mark.parametrize(
    "text",
    [
        "file://host/vagrant/x",
        "vscode-file:///vagrant/x",
        "xfile:///vagrant",
        "file:///vagrant%20old",
        "file:////vagrant",
        "file:///vagrant-old",
        "/srv2/my%20app",
        "http://localhost/vagrant",
    ],
)
def test_other_urls_are_left_alone(text: str) -> None:
    check(text, text)


def test_an_encoded_name_is_recognized_only_in_a_url() -> None:
    check("/srv/my%20app/x", "/l/my%20app/x")


@pytest.mark.parametrize(
    "spelling",
    ["/a%20b%2Cc%C3%A9", "/a%20b,c%C3%A9", "/a%20b%2cc%c3%a9"],
    ids=["all", "what must be", "in lower case"],
)
def test_every_usual_way_to_encode_a_root_is_known(spelling: str) -> None:
    roots = RootMatcher({"/a b,c\xe9".encode(): b"/it's"})
    assert replaced(roots, f"file://{spelling}/x".encode()) == b"file:///it%27s/x"


def test_a_local_name_is_encoded_in_a_url_even_if_the_root_need_not_be() -> None:
    roots = RootMatcher({b"/it": b"/my work"})
    assert replaced(roots, b"/it/x file:///it/x") == b"/my work/x file:///my%20work/x"


def test_local_names_are_not_patterns() -> None:
    roots = RootMatcher({b"/a.b(c": rb"/\1\g<0>"})
    assert roots.rewritten(b"/a.b(c/x /a1b(c/x") == rb"/\1\g<0>/x /a1b(c/x"


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", 0),
        ("a /", 2),
        ("a /s", 2),
        ("a /srv", 2),
        ("a /srv/m", 2),
        ("/srv...", 0),
        ("/srv.../", 8),
        ("/srv....", 8),
        ("/srv/", 0),
        ("/srv/x", 6),
        ("/srv:", 5),
        ("a/", 2),
        ("/srvx", 5),
        ("file:///srv/my%2", 7),
        ("/srv/my%2", 9),
        ("-I/va", 2),
    ],
)
def test_the_beginning_of_a_root_is_undecided(text: str, start: int) -> None:
    assert ROOTS.undecided(text.encode()) == start


@pytest.mark.parametrize(("byte", "decided"), [(b"\xe3", False), (b"\xef", False), (b"\xe2", True), (b"\xc3", True)])
def test_half_a_character_is_held_back_only_where_it_matters(byte: bytes, decided: bool) -> None:
    text = b"/vagrant" + byte
    assert ROOTS.undecided(text) == (len(text) if decided else 0)
