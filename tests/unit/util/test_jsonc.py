"""Tests for JSON with comments: what is parsed, and what a change preserves."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo.util import jsonc

SETTINGS = """\
// mine
{
  "a": 1, // one
  /* two
   */
  "b": { "c": [1, 2,], },
  "list": [
    "x", // the last
  ]
  // the end
}
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", {}),
        ("\ufeff // nothing\n", {}),
        (SETTINGS, {"a": 1, "b": {"c": [1, 2]}, "list": ["x"]}),
        ('{ // a\n "url": "http://x/*y*/", /* b\n */ "list": [1, 2, /* c */ ], "s": ",]", }',
         {"url": "http://x/*y*/", "list": [1, 2], "s": ",]"}),
        ('["\\"\\u00e4", -1.5e3, true, false, null, {}, []]', ['"ä', -1500.0, True, False, None, {}, []]),
        ('{"": 1, "a": 1, "a": 2}', {"": 1, "a": 2}),
    ],
)  # fmt: skip
def test_comments_and_trailing_commas_are_skipped(text: str, value: Any) -> None:
    assert jsonc.loads(text) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{\n", "line 2: expected a name in double quotes"),
        ('{"a"}', "line 1: expected `:`"),
        ('{"a": }', "line 1: expected a value"),
        ('{"a": 1-2}', "line 1: expected a value"),
        ('{"a": 1\n"b": 2}', "line 2: expected `,` or `}`"),
        ("[1 2]", "line 1: expected `,` or `]`"),
        ("{1: 2}", "line 1: expected a name in double quotes"),
        ("{} {}", "line 1: expected the end"),
        ("[,]", "line 1: expected a value"),
        ("/* open", "line 1: expected a value"),
        ('{"a": "\n"}', "line 1: expected a value"),
        ("[" * 100_000, "it is nested too deeply"),
    ],
)
def test_what_is_not_json_is_refused_with_the_line(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        jsonc.loads(text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", '{\n    "n": 1\n}\n', id="an empty text"),
        pytest.param("// mine\n", '// mine\n{\n    "n": 1\n}\n', id="comments only"),
        pytest.param("// mine", '// mine\n{\n    "n": 1\n}\n', id="comments only, and no newline"),
        pytest.param("{}", '{\n    "n": 1\n}', id="an empty object"),
        pytest.param("{ // mine\n}\n", '{ // mine\n    "n": 1\n}\n', id="comments in it"),
        pytest.param('{"a": 1}', '{"a": 1, "n": 1}', id="one line"),
        pytest.param('{ "a": 1, }', '{ "a": 1, "n": 1, }', id="one line and a trailing comma"),
        pytest.param('{\n\t"a": 1\n}', '{\n\t"a": 1,\n\t"n": 1\n}', id="tabs"),
        pytest.param('{\r\n  "a": 1\r\n}', '{\r\n  "a": 1,\r\n  "n": 1\r\n}', id="CRLF"),
        pytest.param('{\n  "a": 1, // one\n}', '{\n  "a": 1, // one\n  "n": 1,\n}', id="a trailing comma"),
        pytest.param('{\n  "a": 1 // one\n}', '{\n  "a": 1, // one\n  "n": 1\n}', id="a comment behind the last"),
        pytest.param('{ "a": 1,\n  "b": 2 }', '{ "a": 1,\n  "b": 2,\n  "n": 1\n}', id="a brace behind the last"),
        pytest.param('{ "a": {\n  "b": 2 } }', '{ "a": {\n  "b": 2 },\n    "n": 1\n}', id="nothing first on its line"),
        pytest.param('{\n  "n": 2, // two\n  "b": 3\n}', '{\n  "n": 1, // two\n  "b": 3\n}', id="a replacement"),
        pytest.param('{"n": 2, "n": 3}', '{"n": 2, "n": 1}', id="the last of two counts"),
        pytest.param('\ufeff{\n  "a": 1\n}', '\ufeff{\n  "a": 1,\n  "n": 1\n}', id="a byte order mark"),
        pytest.param('{\n  "": 1\n}', '{\n  "": 1,\n  "n": 1\n}', id="a name that is empty"),
    ],
)
def test_a_member_is_put_in_the_style_of_the_text(before: str, after: str) -> None:
    assert jsonc.put(before, ["n"], 1) == after
    assert jsonc.put(after, ["n"], 1) == after


def test_missing_parents_are_created() -> None:
    assert jsonc.put('{\n  "a": {}\n}', ["a", "b", "c"], []) == (
        '{\n  "a": {\n    "b": {\n      "c": []\n    }\n  }\n}'
    )


def test_an_element_is_appended_with_its_own_lines_indented() -> None:
    added = jsonc.append(SETTINGS, ["list"], {"k": [1]})
    head, tail = SETTINGS.split("  ]\n")
    assert added == head + '    {\n      "k": [\n        1\n      ]\n    },\n  ]\n' + tail
    assert jsonc.append(SETTINGS, ["b", "c"], 3) == SETTINGS.replace("[1, 2,]", "[1, 2, 3,]")
    assert jsonc.append('{"a": 1}', ["b"], "x") == '{"a": 1, "b": ["x"]}'


def test_an_element_is_replaced_by_its_number() -> None:
    assert jsonc.put(SETTINGS, ["list", 0], "y") == SETTINGS.replace('"x"', '"y"')
    with pytest.raises(ValueError, match="`1` is not inside an object"):
        jsonc.put(SETTINGS, ["list", 1], "y")


def test_a_value_of_another_kind_is_not_overwritten() -> None:
    with pytest.raises(ValueError, match="`b` is not inside an object"):
        jsonc.put('{"a": 1}', ["a", "b"], 2)
    with pytest.raises(ValueError, match="`b` is not inside an object"):
        jsonc.append("[]", ["b"], 2)
    with pytest.raises(ValueError, match="`a` is not an array"):
        jsonc.append('{"a": 1}', ["a"], 2)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)
NOISE = st.sampled_from(["", " ", "\n", "\t", "// x\n", "/* , } */", "\n  "])


@st.composite
def texts(draw: Callable[[st.SearchStrategy[Any]], Any], value: Any) -> str:
    """The value, with comments, blanks and trailing commas anywhere."""

    def between() -> str:
        return str(draw(NOISE))

    if isinstance(value, dict):
        parts = [f"{json.dumps(k)}{between()}:{between()}{draw(texts(v))}{between()}" for k, v in value.items()]
    elif isinstance(value, list):
        parts = [f"{draw(texts(each))}{between()}" for each in value]
    else:
        return json.dumps(value)
    comma = "," if parts and draw(st.booleans()) else ""
    inside = ("," + between()).join(parts) + comma
    return ("{%s%s%s}" if isinstance(value, dict) else "[%s%s%s]") % (between(), inside, between())


@given(st.data(), st.dictionaries(st.sampled_from(["a", "b", ""]), VALUES, max_size=3), VALUES)
def test_a_change_only_adds_to_any_text(data: st.DataObject, value: dict[str, Any], new: Any) -> None:
    text = data.draw(NOISE) + data.draw(texts(value)) + data.draw(NOISE)
    assert jsonc.loads(text) == value
    added = jsonc.put(text, ["n", "m"], new)
    assert jsonc.loads(added) == {**value, "n": {"m": new}}
    position = 0
    # The old text is in the new one, in order. Only blanks before a bracket may be removed.
    for character in "".join(text.split()):
        position = added.index(character, position) + 1


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        jsonc.loads(text)
