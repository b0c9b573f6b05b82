"""Tests for when a caller is asked whether a target may be used."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from rdo.config.load import load
from rdo.errors import RdoError
from rdo.master.trust_check import TrustCheck
from rdo.trust.prompt import AGAIN, QUESTION_LIMIT

TIMEOUT = 10.0
"""Seconds for a thread to make progress."""


class RecordingCaller:
    """A caller that gives one answer, and records the questions and messages. See drivers.base."""

    process = 0

    def __init__(self, state: Path, answer: str | None = None, **variables: str) -> None:
        self._answer = answer
        self._variables = {"XDG_STATE_HOME": str(state), **variables}
        self.questions: list[str] = []
        self.reported: list[str] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.was_asked = threading.Event()
        self.user = ""

    @property
    def environment(self) -> Mapping[str, str]:
        return self._variables

    def ask(self, question: str, *, echo: bool) -> str | None:
        assert echo
        self.questions.append(question)
        self.was_asked.set()
        assert self.go_on.wait(TIMEOUT)
        return self._answer

    def screen(self) -> tuple[int, int] | None:
        return 24, 80

    def report(self, line: str) -> None:
        self.reported.append(line)

    def progress(self, step: str) -> bool:
        return False

    def trace(self, line: str) -> None:
        raise AssertionError(line)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program that the driver would run here."""
    path = tmp_path / "Vagrantfile"
    path.write_text("a")
    return path


@pytest.fixture
def calls() -> threading.Semaphore:
    """Counts the calls of the check."""
    return threading.Semaphore(0)


@pytest.fixture
def trust_check(tmp_path: Path, program: Path, calls: threading.Semaphore) -> TrustCheck:
    """A check of a config that needs permission."""
    path = tmp_path / ".rdo.conf"
    path.write_text('driver = "vagrant"\n')

    def programs() -> list[str]:
        calls.release()
        return [str(program)]

    return TrustCheck(load(str(path), None, None), programs, str(tmp_path / "records"))


def test_after_a_yes_nobody_is_asked_again(trust_check: TrustCheck, tmp_path: Path) -> None:
    first, second = RecordingCaller(tmp_path, "yes"), RecordingCaller(tmp_path)
    for caller in (first, first, second):
        trust_check.check(caller)
    assert len(first.questions) == 1
    assert second.questions == []


@pytest.mark.parametrize("answer", ["no", "", "N", None])
def test_any_other_answer_is_a_refusal_with_what_to_type(
    trust_check: TrustCheck, tmp_path: Path, answer: str | None
) -> None:
    for _ in range(2):
        caller = RecordingCaller(tmp_path, answer)
        with pytest.raises(RdoError) as caught:
            trust_check.check(caller)
        expected = f"profile `default` of `{tmp_path}/.rdo.conf` is not allowed yet; type `rdoctl allow`"
        assert str(caught.value) == expected
        assert len(caller.questions) == 1


def test_after_an_unclear_answer_the_question_is_repeated_a_few_times(trust_check: TrustCheck, tmp_path: Path) -> None:
    caller = RecordingCaller(tmp_path, "y")
    with pytest.raises(RdoError):
        trust_check.check(caller)
    assert len(caller.questions) == 1 + QUESTION_LIMIT
    assert set(caller.questions[1:]) == {AGAIN}


def test_the_bypass_of_one_caller_does_not_apply_to_the_next(trust_check: TrustCheck, tmp_path: Path) -> None:
    free, other = RecordingCaller(tmp_path, RDO_TRUST="1"), RecordingCaller(tmp_path)
    trust_check.check(free)
    assert free.questions == []
    with pytest.raises(RdoError):
        trust_check.check(other)


def test_a_program_that_has_changed_is_asked_about_again(
    trust_check: TrustCheck, tmp_path: Path, program: Path
) -> None:
    trust_check.check(RecordingCaller(tmp_path, "yes"))
    times = program.stat()
    while program.stat().st_ctime_ns == times.st_ctime_ns:  # the kernel's clock for files has coarse ticks
        program.write_text("b")
    os.utime(program, ns=(times.st_atime_ns, times.st_mtime_ns))
    caller = RecordingCaller(tmp_path)
    with pytest.raises(RdoError, match="it has changed"):
        trust_check.check(caller)
    assert len(caller.questions) == 1


def test_a_program_that_was_only_touched_is_not_asked_about(
    trust_check: TrustCheck, tmp_path: Path, program: Path
) -> None:
    trust_check.check(RecordingCaller(tmp_path, "yes"))
    program.touch()
    trust_check.check(RecordingCaller(tmp_path))


def test_an_unreadable_program_is_reported(trust_check: TrustCheck, tmp_path: Path, program: Path) -> None:
    program.unlink()
    with pytest.raises(RdoError, match="cannot read"):
        trust_check.check(RecordingCaller(tmp_path))


def test_a_caller_that_waited_for_anothers_answer_is_not_asked_the_same(
    trust_check: TrustCheck, tmp_path: Path, calls: threading.Semaphore
) -> None:
    first, second = RecordingCaller(tmp_path, "no"), RecordingCaller(tmp_path)
    first.go_on.clear()
    failures: list[RdoError] = []

    def check(caller: RecordingCaller) -> None:
        try:
            trust_check.check(caller)
        except RdoError as error:
            failures.append(error)

    threads = [threading.Thread(target=check, args=(caller,)) for caller in (first, second)]
    threads[0].start()
    assert first.was_asked.wait(TIMEOUT)
    threads[1].start()
    for _ in threads:
        assert calls.acquire(timeout=TIMEOUT)
    first.go_on.set()
    for thread in threads:
        thread.join(TIMEOUT)
    assert len(failures) == 2
    assert second.questions == []


def test_a_yes_that_cannot_be_stored_is_still_accepted(trust_check: TrustCheck, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    caller = RecordingCaller(tmp_path / "file", "yes")
    trust_check.check(caller)
    assert [line[:19] for line in caller.reported] == ["rdo: cannot record "]
