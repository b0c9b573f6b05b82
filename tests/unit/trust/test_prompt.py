"""Tests for the question whether a configuration may be trusted, on screens of any size."""

from __future__ import annotations

import json

import pytest

from rdo.config.load import Exposure
from rdo.errors import RdoError
from rdo.printable import width
from rdo.trust.prompt import AGAIN, QUESTION, QUESTION_LIMIT, Screen, in_ascii, is_allowed, question
from rdo.trust.request import TrustRequest, Values

WIDE = Screen(40, 100)


def a_request(*values: tuple[str, object], **more: object) -> TrustRequest:
    pairs = tuple((name, json.dumps(value, ensure_ascii=False)) for name, value in values)
    return TrustRequest("/x/.rdo.conf", "default", pairs, **more)  # type: ignore[arg-type]


def asked(request: TrustRequest, screen: Screen = WIDE, before: Values | None = None) -> list[str]:
    """The rows of the question, each of which has to fit."""
    rows = question(request, before, screen).split("\n")
    assert all(width(row) <= screen.columns for row in rows)
    assert len(rows) < screen.rows
    return rows


def test_each_value_has_a_line_and_the_question_comes_last() -> None:
    assert asked(a_request(("directory", "/srv"), ("driver", "ssh"), ("host", "a"))) == [
        "`/x/.rdo.conf`, profile `default`, asks for:",
        '  directory = "/srv"',
        '  driver = "ssh"',
        '  host = "a"',
        QUESTION,
    ]


def test_local_programs_and_who_can_change_the_file_are_nearest_to_the_question() -> None:
    exposed = (Exposure("/x/.rdo.conf", "can be written by everyone", "mode 0777", ""),)
    rows = asked(a_request(("user", "me"), runs_here=(("/x/Vagrantfile", "sha256:1"),), exposed=exposed))
    assert rows[-3:-1] == ["  /x/Vagrantfile = sha256:1", "  /x/.rdo.conf = can be written by everyone (mode 0777)"]


def test_no_value_can_control_the_terminal_or_start_a_line() -> None:
    request = TrustRequest("/x\x1b[2J\u3164", "p\n", (("host", '"a\x1b\n  b"'),))
    head = "`/x\\x1b[2J\\u3164`, profile `p\\x0a`, asks for:"
    assert asked(request) == [head, '  host = "a\\x1b\\x0a\\x20\\x20b"', QUESTION]


@pytest.mark.parametrize("screen", [Screen(5, 20), Screen(0, 0), Screen(30, 39), Screen(6, 200), Screen(9, 40)])
def test_on_a_screen_without_room_nothing_is_asked(screen: Screen) -> None:
    request = a_request(*[(f"env.V{number}", "x") for number in range(9)], ("driver", "ssh"), ("host", "a"))
    with pytest.raises(RdoError, match=r"the terminal is too small to show what `/x/\.rdo\.conf` asks for"):
        question(request._replace(profile="p" * 100), None, screen)


def test_a_low_screen_has_room_for_a_short_question() -> None:
    assert len(asked(a_request(("driver", "ssh"), ("host", "a")), Screen(6, 80))) == 4


def test_for_a_terminal_with_another_charset_everything_is_escaped_to_ascii() -> None:
    request = a_request(("host", "\u011b2J"))._replace(profile="\xe9")
    changed, before = in_ascii(request, (("host", '"\u6f22"'),))
    rows = asked(changed, before=before)
    assert rows[:3] == [
        "`/x/.rdo.conf`, profile `\\xe9`, has changed since you allowed it:",
        '  - host = "\\u6f22"',
        '  + host = "\\u011b2J"',
    ]
    assert in_ascii(request, None)[1] is None


@pytest.mark.no_cover  # recording the lines that each character passes would take nearly all of the time
@pytest.mark.parametrize("screen", [Screen(24, 80), Screen(12, 40), Screen(10, 80), WIDE, Screen(60, 250)])
@pytest.mark.parametrize("long", [1, 30, 255, 2400, 60_000])
def test_any_question_fits_and_shows_the_driver_and_host(screen: Screen, long: int) -> None:
    count = 200 if long < 10_000 else 80
    many = [(f"env.V{number}", "Type `yes`: " * (long // 12)) for number in range(count)]
    target = (("driver", "ssh"), ("directory", "/" + "x" * long), ("host", "a" * min(long, 255)), ("user", "u"))
    request = a_request(*many, *target)
    rows = asked(request._replace(config="/" + "c" * long, profile="p" * min(long, 100)), screen)
    assert " ".join(rows[-2:]).endswith(QUESTION)
    assert any(row.startswith("  driver = ") for row in rows)
    assert any(row.startswith("  host = ") for row in rows)
    assert any(" more values" in row for row in rows)


def test_a_long_value_is_shown_completely_if_it_fits_or_else_cut_in_the_middle() -> None:
    host = "".join(map(str, range(90)))
    rows = asked(a_request(("host", host)), Screen(24, 80))
    assert "".join(row.strip() for row in rows[1:-1]) == f'host = "{host}"'
    assert all(row.startswith("      ") for row in rows[2:-1])
    (row,) = [row for row in asked(a_request(*[("path", "x")] * 19, ("host", host)), Screen(24, 80)) if "host" in row]
    assert '9"' in row
    assert row.endswith(" more characters)")


def test_after_a_change_only_that_is_shown_with_the_number_of_unchanged_values() -> None:
    before = a_request(("pass_env", ["A"]), ("driver", "ssh"), ("host", "a"), ("user", "u")).all
    after = a_request(("pass_env", ["A", "B"]), ("driver", "ssh"), ("host", "a"))
    assert asked(after, before=before) == [
        "`/x/.rdo.conf`, profile `default`, has changed since you allowed it:",
        '  - pass_env = ["A"]',
        '  - user = "u"',
        '  + pass_env = ["A", "B"]',
        "  (2 more values) as before",
        QUESTION,
    ]
    assert asked(after, before=after.all) == asked(after)
    assert asked(a_request(("host", "b")), before=a_request(("host", "a")).all)[1:-1] == [
        '  - host = "a"',
        '  + host = "b"',
    ]
    assert "  (1 more value) as before" in asked(
        a_request(("host", "a"), ("user", "b")), before=a_request(("host", "a")).all
    )


def test_one_hidden_value_is_counted_in_the_singular() -> None:
    rows = asked(a_request(*[(f"env.A{number}", "x") for number in range(21)]), Screen(24, 80))
    assert rows[1] == "  (2 more values) `rdoctl explain` shows all"
    rows = asked(a_request(*[(f"env.A{number}", "x") for number in range(20)]), Screen(24, 80))
    assert rows[1] == '  env.A0 = "x"'


@pytest.mark.parametrize(
    ("answers", "allowed", "questions"),
    [
        (["yes"], True, 1),
        ([" YES "], True, 1),
        (["y", "yes"], True, 2),
        (["y", "ja", "no"], False, 3),
        ([""], False, 1),
        (["n"], False, 1),
        ([None], None, 1),
        (["y", None], None, 2),
        (["y"] * 99, False, 1 + QUESTION_LIMIT),
    ],
)
def test_yes_allows_no_and_nothing_refuse_and_other_answers_repeat_the_question(
    answers: list[str | None], allowed: bool | None, questions: int
) -> None:
    texts: list[str] = []

    def ask(text: str) -> str | None:
        texts.append(text)
        return answers[len(texts) - 1]

    assert is_allowed(ask, "question") is allowed
    assert texts == ["question", *[AGAIN] * (questions - 1)]
