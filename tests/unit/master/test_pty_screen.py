"""Tests for where rdo may print its own line on the screen of a command."""

from __future__ import annotations

import pytest

from rdo.master.pty_screen import PtyScreen

EDITOR = b"\x1b[?1049h\x1b[22;0;0t\x1b[1;24r"


def after(*output: bytes) -> PtyScreen:
    screen = PtyScreen()
    for data in output:
        screen.show(data)
    return screen


@pytest.mark.parametrize(
    ("output", "is_drawn_on"),
    [
        ([b"$ "], False),
        ([EDITOR], True),
        ([EDITOR, b"\x1b[H\x1b[2Jtext"], True),
        ([EDITOR, b"\x1b[?1049l\x1b[23;0;0t"], False),
        ([EDITOR + b"\x1b[?1049l" + EDITOR], True),
        ([b"\x1b[?47h"], True),
        ([b"\x1b[?1;1047;25h"], True),
        ([b"\x1b[?25l", b"\x1b[?2004h"], False),
        ([b"x1049h"], False),
    ],
)
def test_a_program_owns_the_alternate_screen_until_it_switches_back(output: list[bytes], is_drawn_on: bool) -> None:
    assert after(*output).is_drawn_on == is_drawn_on


@pytest.mark.parametrize("cut", range(1, 8))
def test_a_switch_in_pieces_is_recognized(cut: int) -> None:
    assert after(b"text" + EDITOR[:cut], EDITOR[cut : cut + 1], EDITOR[cut + 1 :]).is_drawn_on


def test_our_own_line_starts_in_the_first_column() -> None:
    screen = PtyScreen()
    assert screen.line("rdo: hello") == "rdo: hello"
    screen.show(b"half a line")
    assert [screen.line("rdo: hello") for _ in range(2)] == ["\r\nrdo: hello", "rdo: hello"]
    screen.show(memoryview(b"a line\r\n"))
    assert screen.line("rdo: hello") == "rdo: hello"
