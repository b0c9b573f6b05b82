"""Tests for plain TOML texts, which are read without a TOML parser, with the same result."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdo.config import plain_text, toml
from tests.soak import tries

NAMES = st.sampled_from(["a", "b", "host", "x-y", "x_y", "1", "é", "a.b", '"a"', "", "-"])
TEXTS = st.sampled_from(['"a"', '"a b"', '"é"', '"a#b"', '"a,b"', '"\\n"', '"a" "b"', '"', '""', "'a'", '"""', '"\t"'])
LISTS = st.lists(TEXTS, max_size=3).map(", ".join).map("[{}]".format)
NUMBERS = st.sampled_from(["0", "1", "01", "-1", "+1", "1_0", "1.5", "123456789", "1234567890", "٣", "0x1", "inf"])
VALUES = TEXTS | LISTS | NUMBERS | st.sampled_from(["true", "false", "True", "", "[", "]", "{}", "1979-05-27", "[1]"])
ENDS = st.sampled_from(["", " ", "\t", "# x", ' # "', " # \x01", "\r", "\x00", " x"])
PAIRS = st.builds("{}{}={}{}{}".format, NAMES, ENDS, ENDS, VALUES, ENDS)
HEADERS = st.builds("{}[{}]{}".format, ENDS, NAMES, ENDS)
FILES = st.lists(PAIRS | HEADERS | ENDS | st.text(max_size=3), max_size=6).map("\n".join)

PLAIN = """\
# of the project
driver = "ssh"
  host="devbox"\t# at home
port = 2222
idle_timeout = 0
login = true
pass_env = ["LANG" , "LC_*"]

[docker] # another one
driver = "docker"
auto_start = false
[empty]
"""


def test_a_plain_text_is_read_with_its_lines() -> None:
    found = plain_text.read(PLAIN)
    assert found is not None
    assert found.data == {
        "driver": "ssh", "host": "devbox", "port": 2222, "idle_timeout": 0, "login": True, "pass_env": ["LANG", "LC_*"],
        "docker": {"driver": "docker", "auto_start": False}, "empty": {},
    }  # fmt: skip
    assert found.lines == {
        ("driver",): 2, ("host",): 3, ("port",): 4, ("idle_timeout",): 5, ("login",): 6, ("pass_env",): 7,
        ("docker",): 9, ("docker", "driver"): 10, ("docker", "auto_start"): 11, ("empty",): 12,
    }  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        'a = "\\u00e9"', "a = 'x'", 'a.b = "x"', '"a" = "x"', "a = 1.5", "a = -1", "a = 01", "a = 1234567890", "a = []",
        'a = ["x", 1]', 'a = "x", "y"', "a = [", "a = { b = 1 }", "[a.b]", "[[a]]", "[a", "a", "=", '= "x"', "[]",
        'a = "#"', 'a = ["x,y"]', 'a = """x"""', "# \x00", 'a = "\x7f"', "a = yes", 'a = "x', 'é = "x"', "x = 1",
        "[t]",
    ],
)  # fmt: skip
def test_all_else_is_left_to_a_parser(line: str) -> None:
    assert plain_text.read(f"x = 2\n[t]\n[u]\nx = 3\n{line}\n") is None


@settings(max_examples=tries(300, 20000))
@given(FILES)
def test_the_result_is_that_of_a_parser(text: str) -> None:
    found = plain_text.read(text)
    assert found is None or found == toml.read(text)
