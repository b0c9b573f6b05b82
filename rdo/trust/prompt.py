"""The question whether to trust a configuration, fitted to the caller's screen. Pure.

What it shows was written by the author of the repository. So each value starts on a line of its own, indented by rdo;
no line is wider than the screen; the whole is no higher than it; and the most important values are next to the
question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rdo import printable
from rdo.errors import RdoError, one_line
from rdo.trust.request import TrustRequest, Values

TYPE = "Type `yes`: "
QUESTION = f"Trust this configuration from now on? {TYPE}"

AGAIN = "Type `yes` or `no`: "

ROW_LIMIT = 5
"""Most rows for one value. A host name of 255 letters takes four on a terminal of 80 columns."""

MIN_ROWS, MIN_COLUMNS = 12, 40
"""The smallest screen on which every question fits. With fewer rows only a short question fits, with fewer columns
none."""

MIN_ENTRIES = 4
"""Rows for values: the driver, the directory, the host, and the number of others."""

OWN_ROWS = 2
"""Rows to leave free: one for the command that was typed, and one for the answer."""

INDENT, FURTHER = "  ", "      "


QUESTION_LIMIT = 10
"""How often the question is repeated after an answer that is neither yes nor no."""


class Screen(NamedTuple):
    """The size of a terminal, in characters."""

    rows: int
    columns: int


SMALL = Screen(24, 80)
"""Assumed if a terminal does not report its size: every terminal is at least this large."""


def is_yes(answer: str | None) -> bool | None:
    """Whether the answer is a yes; None if it is neither yes nor no. As with ssh, only the whole word counts as a
    yes."""
    word = "" if answer is None else answer.strip().lower()
    return True if word == "yes" else False if word in ("", "no", "n") else None


def is_allowed(ask: Callable[[str], str | None], text: str) -> bool | None:
    """Ask until there is an answer; None if there is no terminal to ask on."""
    answer = ask(text)
    for _ in range(QUESTION_LIMIT):
        if answer is None or is_yes(answer) is not None:
            break
        answer = ask(AGAIN)
    return None if answer is None else is_yes(answer) is True


def question(request: TrustRequest, before: Values | None, screen: Screen) -> str:
    """The question: the values or, if there were values `before`, what has changed since those were allowed; and how to
    answer.

    Raises RdoError if the screen is too small: nobody can be assumed to have read what has scrolled away.
    """
    if before and set(before) == set(request.all):
        before = None  # asked again although nothing has changed
    rows, columns = screen
    if columns < MIN_COLUMNS:
        raise _too_small(request, screen)
    head = _head(request, "has changed since you allowed it:" if before else "asks for:", columns)
    foot = [QUESTION] if len(QUESTION) < columns else [QUESTION.removesuffix(f" {TYPE}"), TYPE]
    entries, remark = [_entry("", *pair) for pair in request.all], ""
    if before:
        entries, remark = _changes(request, before)
    remarks = [INDENT + remark] if remark else []
    room = rows - OWN_ROWS - len(head) - len(remarks) - len(foot)
    if room < MIN_ENTRIES and len(entries) > room:
        raise _too_small(request, screen)
    return "\n".join([*head, *_fit(entries, room, columns), *remarks, *foot])


def _too_small(request: TrustRequest, screen: Screen) -> RdoError:
    what = f"the terminal is too small to show what `{printable.cut(one_line(request.config), MIN_COLUMNS)}` asks for"
    why = f"it has {screen.rows} rows and {screen.columns} columns"
    return RdoError(what, why, f"enlarge it to {MIN_ROWS} rows and {MIN_COLUMNS} columns")


def in_ascii(request: TrustRequest, before: Values | None) -> tuple[TrustRequest, Values | None]:
    """The question in ASCII, for a terminal that can show nothing else."""
    values = _spelled(request.all)
    return TrustRequest(_ascii(request.config), _ascii(request.profile), values), before and _spelled(before)


def _spelled(values: Values) -> Values:
    return tuple((_ascii(name), _ascii(value)) for name, value in values)


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()


def _head(request: TrustRequest, what: str, columns: int) -> list[str]:
    profile = f"profile `{printable.cut(one_line(request.profile), columns // 2)}`"
    file = printable.cut(one_line(request.config), columns - 3)
    line = f"`{file}`, {profile}, {what}"
    if printable.width(line) <= columns:
        return [line]
    return [f"`{file}`,", *printable.wrapped(f"{profile}, {what}", columns, INDENT)]


def _entry(sign: str, name: str, value: str) -> str:
    return f"{INDENT}{sign}{one_line(name)} = {one_line(value)}"


def _changes(request: TrustRequest, before: Values) -> tuple[list[str], str]:
    """What was removed, what was added, and a note of how many values are unchanged."""
    gone = [_entry("- ", *pair) for pair in before if pair not in request.all]
    come = [_entry("+ ", *pair) for pair in request.all if pair not in before]
    same = len(request.all) - len(come)
    return [*gone, *come], f"({same} more {'value' if same == 1 else 'values'}) as before" if same else ""


def _fit(entries: Sequence[str], room: int, columns: int) -> list[str]:
    """The entries in the available rows: the first ones are left out, and the last get the rows they need."""
    hidden = len(entries) - (room - 1) if len(entries) > room else 0
    shown = entries[hidden:]
    spare = room - len(shown) - (hidden > 0)
    blocks: list[list[str]] = []
    for entry in reversed(shown):
        rows = min(ROW_LIMIT, 1 + spare)
        cut = printable.cut(entry, columns + (rows - 1) * (columns - len(FURTHER)))
        blocks.append(printable.wrapped(cut, columns, FURTHER))
        spare -= len(blocks[-1]) - 1
    remarks = [f"{INDENT}({hidden} more values){hint}" for hint in (" `rdoctl explain` shows all", "")]
    remark = remarks[0] if len(remarks[0]) <= columns else remarks[1]
    return [*([remark] if hidden else []), *(row for block in reversed(blocks) for row in block)]
