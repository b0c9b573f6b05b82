"""Tests for the table of connections on a terminal, and for the list on a narrow one."""

from __future__ import annotations

import re

import pytest

from rdo.cli.status_row import StatusRow
from rdo.cli.status_table import Look, lines
from rdo.printable import width

STYLE = re.compile(r"\x1b\[\d+m")

BUSY = StatusRow("box", ("default", "ci"), ("make -j8 all", "sleep 1"), True, "1", "1m 5s", ("~/a/.rdo.conf",))
IDLE = StatusRow("local", ("default",), ("idle, 4m left",), False, "2", "12s", ("~/b/.rdo.conf", "~/c/.rdo.conf"))


def plain(rows: list[StatusRow], look: Look) -> list[str]:
    return [STYLE.sub("", line) for line in lines(rows, look)]


def test_each_target_is_a_row_of_aligned_columns() -> None:
    assert plain([BUSY, IDLE], Look(100)) == [
        "TARGET  PROFILES  DOING          CONNECTIONS  OPEN FOR  PROJECTS",
        "─────────────────────────────────────────────────────────────────────",
        "box     default   make -j8 all             1     1m 5s  ~/a/.rdo.conf",
        "        ci        sleep 1",
        "local   default   idle, 4m left            2       12s  ~/b/.rdo.conf",
        "                                                        ~/c/.rdo.conf",
    ]


def test_in_too_little_space_commands_are_truncated_and_paths_wrapped() -> None:
    long = BUSY._replace(doing=("make " + "x" * 80,), projects=("~/" + "y" * 40,))
    shown = plain([long], Look(90))
    assert max(map(width, shown)) <= 90
    assert "make xxx" in shown[2]
    assert "…" in shown[2]
    assert "".join(re.findall(r"y+", "".join(shown))) == "y" * 40


@pytest.mark.parametrize("columns", [20, 45, 60])
def test_on_a_narrow_terminal_each_fact_has_a_line(columns: int) -> None:
    shown = plain([BUSY, IDLE], Look(columns))
    assert [line.split()[0] for line in shown if re.match(r"\S|  \S", line)][:6] == [
        "target",
        "profiles",
        "doing",
        "connections",
        "open",
        "projects",
    ]
    assert max(map(width, shown)) <= columns


def test_wide_letters_take_two_cells() -> None:
    wide = BUSY._replace(target="机器", profiles=("p",))
    head, _, row, _ = plain([wide], Look(100))
    assert width(row[: row.index("make")]) == head.index("DOING")


def test_colours_and_letters_are_those_that_the_terminal_has() -> None:
    everything = "\n".join(lines([BUSY, IDLE], Look(100)))
    assert {"\x1b[1m", "\x1b[32m", "\x1b[2m"} <= set(STYLE.findall(everything))
    assert "\x1b[32m" not in "\n".join(lines([BUSY, IDLE], Look(100, colours=False)))
    assert "\n".join(lines([BUSY._replace(doing=("z" * 99,))], Look(80, utf8=False))).isascii()


def test_no_name_can_control_the_terminal() -> None:
    hostile = BUSY._replace(target="a\x1b[2Jb", doing=("\x07",), projects=("\x1b]0;x",))
    shown = "\n".join(lines([hostile], Look(100)))
    assert "\\x1b[2J" in shown
    assert "\x07" not in shown
    assert "\x1b]" not in shown
