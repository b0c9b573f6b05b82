"""Tests for TOML files as they occur: encodings, kinds of file, mistakes, and the line that is reported for each."""

import os
import re
from pathlib import Path

import pytest

from rdo.config.load import load
from rdo.config.toml import PARSE_LIMIT, lines_of, read, unfinished
from rdo.errors import ConfigError


def error_of(directory: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(str(directory / ".rdo.conf"), None, None)
    return str(caught.value).removeprefix(f"{directory}/.rdo.conf")


CLASH = "conflicts with what is set before it; each name can be set only once"


SLIPS = {
    "bare value": ('driver = "ssh"\nhost = devbox', ':2: invalid value; quote it: `host = "devbox"`'),
    "one quote": ('driver = "ssh"\nhost = devbox"', ':2: invalid value; quote it: `host = "devbox"`'),
    "long bare value": (f'driver = "ssh"\nhost = {"x" * 50}', ":2: invalid value; quote it"),
    "yes": ('host = "a"\nlogin = yes', ":2: invalid value; write `login = true`"),
    "True": ('host = "a"\nlogin = True', ":2: invalid value; write `login = true`"),
    "no value": ('host = "a"\nport =', ":2: invalid value; write a value after the `=`"),
    "two values": ('host = "a" b', ":1: expected newline or end of document after a statement"),
    "open string": ('host = "a\nport = 1', ":1: illegal character '\\n'; close the string with \""),
    "open at the end": ("host = 'a", ":1: expected \"'\"; close the string with '"),
    "open list": ('host = "a"\npath = ["a",\n  "b"\n\nlogin = true', ":2: unclosed array; close the list with ]"),
    "open table": ('host = "a"\nenv = { A = "1"', ":2: unclosed inline table; write all of { ... } on one line"),
    "comma at the end": (
        'env = { A = "1", }',
        ":1: invalid initial character for a key part; remove the comma before the }",
    ),
    "control character": ("login = true # \x01", ":1: found invalid character '\\x01'"),
    "bad table": ("env = { A }", ":1: expected '=' after a key in a key/value pair"),
    "bare list": ("path = [a, b]", ":1: invalid value; quote each string in the list"),
    "no comma": ('pass_env = ["A" "B"]', ":1: unclosed array"),
    "no equals sign": (
        'host = "a"\ndirectory',
        ":2: expected '=' after a key in a key/value pair; write `directory = VALUE`",
    ),
    "no key": ('host = "a"\n= 1', ":2: invalid statement"),
    "open header": ('host = "a"\n[box\n', ":2: expected ']' at the end of a table declaration"),
    "key twice": ('host = "a"\nhost = "b"', f":2: `host` {CLASH}"),
    "profile twice": ("[a]\n[a]\n\n", f":2: `[a]` {CLASH}"),
    "list of profiles": ("[[ a ]]\n[ a ]#x", f":2: `[ a ]` {CLASH}"),
    "value and table": ('[a]\nhost = "a"\n[a.host]', f":3: `[a.host]` {CLASH}"),
    "table and name": ('env = {A = "1"}\nenv.B = "2"', f":2: `env.B` {CLASH}"),
    "variable twice": ('env = {A = "1", A = "2"}', f":1: `A` {CLASH}"),
    "long name twice": (f"[{'x' * 99}]\n" * 2, f":2: `[{'x' * 39}...` {CLASH}"),
    "list and more": ("port = 1\nlogin = [] true", ":2: expected newline or end of document after a statement"),
    "nested": ("x = " + "[" * 9000, ": nested too deeply; flatten it"),
    "long number": ('host = "a"\nport = ' + "1" * 9000, ":2: a number that is too long; shorten it"),
    "dots": ("a." * 9000 + "a = 1", ":1: more than 200 dots in a line; split the line"),
    "list of tables": (
        '[[box]]\nimage = "a"',
        ":1: `[[box]]` is a list of tables, but a profile is a single table; write `[box]`",
    ),
    "key as table": ("[host]\na = 1", ':1: `host` must be a string, not a table; as in `host = "devbox"`'),
    "profile as option": ("[-a]", ": `-a` cannot name a profile; rename it with letters and digits"),
    "default twice": (
        'host = "a"\n[default]\nhost = "b"',
        ":3: `host` is a second `host` for profile `default`; the first is `host` in line 1",
    ),
    "image and service": (
        'image = "a"\nservice = "b"',
        ":2: `service` and `image` cannot be used together; keep one of them; the other is `image` in line 1",
    ),
    "env": ("[box.env]\nA = 1", ':2: `env.A` must be a string, not the number `1`; quote it: `A = "1"`'),
    "dotted": ("[box]\nenv.A = 1", ':2: `env.A` must be a string, not the number `1`; quote it: `A = "1"`'),
    "table in table": ("[box.deep]\nA = 1", ":1: unknown key `deep`; `rdoctl schema` shows all keys"),
}


@pytest.mark.parametrize(("text", "line"), SLIPS.values(), ids=list(SLIPS))
def test_an_error_is_one_line_with_its_location(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / ".rdo.conf").write_text(text)
    assert error_of(tmp_path) == line


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'\xef\xbb\xbfhost = "a"\nport = 3\n', id="byte order mark"),
        pytest.param(b'host = "a"\r\nport = 3\r\n', id="CRLF"),
        pytest.param(b'host = "a"\nport = 3', id="no newline at the end"),
        pytest.param(b"\xef\xbb\xbfhost = a\r\nport = 3\r\n", id="INI with both"),
    ],
)
def test_a_file_is_read_as_editors_save_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".rdo.conf").write_bytes(content)
    config = load(str(tmp_path / ".rdo.conf"), None, None)
    assert (config.settings.host, config.settings.port, config.origins["port"].line) == ("a", 3, 2)


def test_bytes_that_are_not_utf8_are_located(tmp_path: Path) -> None:
    (tmp_path / ".rdo.conf").write_bytes(b'host = "a"\nuser = "ren\xe9"')
    assert error_of(tmp_path) == ":2: byte 0xe9 is not UTF-8; save it as UTF-8"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    line = ": cannot be read: no such file or directory; check that it exists and that you can read it"
    assert error_of(tmp_path) == line


def test_a_directory_is_not_a_config_file(tmp_path: Path) -> None:
    (tmp_path / ".rdo.conf").mkdir()
    assert error_of(tmp_path) == ": a directory, not a file; rename or remove it"


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".rdo.conf")
    assert error_of(tmp_path) == ": not a regular file; a config file should be a short text"


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".rdo.conf").write_bytes(b"#" * (64 * 1024 + 1))
    assert error_of(tmp_path) == ": larger than 64 KiB; a config file should be a short text"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".rdo.conf").touch(0o000)
    line = ": cannot be read: permission denied; check that it exists and that you can read it"
    assert error_of(tmp_path) == line


def test_a_path_with_a_nul_is_one_line() -> None:
    with pytest.raises(ConfigError) as caught:
        load("/\0/.rdo.conf", None, None)
    why = "(embedded null byte|stat: embedded null character in path)"  # until Python 3.12, and from 3.13 on
    assert re.match(rf"/\\x00/\.rdo\.conf: cannot be read: {why}", str(caught.value))


def test_a_dangling_local_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".rdo.conf").write_text('host = "a"')
    (tmp_path / ".rdo.local.conf").symlink_to("nowhere")
    with pytest.raises(ConfigError, match=r"local\.conf: cannot be read: no such file"):
        load(str(tmp_path / ".rdo.conf"), None, None)


LINES = """\
a.b = 1 # one
s = '''
x = 1
'''
l = [
  1,
]

[box] # a comment
i = { c = 1 }
["q.x".env]
E = 1
"""


def test_lines_are_found_for_every_way_to_write_a_key() -> None:
    assert lines_of(LINES) == {
        ("a",): 1, ("a", "b"): 1, ("s",): 2, ("l",): 5, ("box",): 9, ("box", "i"): 10, ("box", "i", "c"): 10,
        ("q.x", "env"): 11, ("q.x", "env", "E"): 12,
    }  # fmt: skip


@pytest.mark.parametrize("line", ["[[[],[]]],", '"""a""",', "{ b = [1] },", "1,"])
def test_parsing_to_find_lines_is_bounded(line: str) -> None:
    parsed = 0

    def parse(text: str) -> dict[str, object]:
        nonlocal parsed
        parsed += len(text)
        return dict(read(text).data)

    assert lines_of("a = 1\nb = [\n" + f"{line}\n" * (64 * 1024 // len(line)), parse) == {("a",): 1}
    assert parsed <= PARSE_LIMIT


@pytest.mark.parametrize(
    ("text", "line"), [("", 1), ("a = 1", 1), ("a = 1\n\n", 1), ("a = [\n\n", 1), ("a = 1\nb = '''\n", 2)]
)
def test_an_unterminated_value_is_located_at_its_start(text: str, line: int) -> None:
    assert unfinished(text) == line
