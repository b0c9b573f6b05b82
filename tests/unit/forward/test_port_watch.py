"""What the target answers when it is asked for ports; whatever it says, it cannot make rdo wait or keep all that."""

from __future__ import annotations

from itertools import repeat

import pytest

from rdo.forward.port_watch import LINE_LIMIT, _answer
from rdo.pool.shell_job import JobFailed


def test_an_answer_ends_with_a_dot_and_leaves_the_next_one() -> None:
    lines = iter([b"!", b"1 2 127.0.0.1:3000 x", b".", b".", b"!", b"."])
    found = _answer(lines)
    assert found is not None
    assert [each.port for each in found] == [3000]
    assert _answer(lines) is None
    assert _answer(lines) == []


@pytest.mark.parametrize("lines", [[], [b"!", b"1 2 127.0.0.1:3000 x"], repeat(b"!"), repeat(b"", LINE_LIMIT)])
def test_an_answer_that_does_not_end_is_none(lines: list[bytes]) -> None:
    with pytest.raises(JobFailed):
        _answer(iter(lines))
