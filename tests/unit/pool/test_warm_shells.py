"""Tests for how many shells are kept ready for the next commands and jobs."""

from __future__ import annotations

from rdo.drivers.base import ChannelOptions, Pty, WindowSize
from rdo.pool.warm_shells import WARM_LIMIT, WarmShells


def test_a_job_has_a_shell_in_addition_to_those_for_commands() -> None:
    plain, pty = ChannelOptions(), ChannelOptions(Pty("xterm", WindowSize(24, 80, 0, 0)))
    warm = WarmShells()
    warm.expect_jobs()
    assert warm.missing(plain) == 0, "nobody has asked for one"
    for opening in (plain, pty):
        warm.use(opening, waited=True)
    warm.calm()
    assert (warm.missing(plain), warm.missing(pty)) == (2, 1)
    for _ in range(2 * WARM_LIMIT):
        warm.use(plain, waited=False)
    assert (warm.missing(plain), warm.missing(pty)) == (WARM_LIMIT, WARM_LIMIT)


def test_without_jobs_one_shell_is_kept() -> None:
    warm = WarmShells()
    warm.use(ChannelOptions(), waited=False)
    warm.calm()
    assert warm.missing(ChannelOptions()) == 1


def test_consecutive_jobs_are_not_a_burst() -> None:
    plain = ChannelOptions()
    warm = WarmShells()
    warm.expect_jobs()
    for _ in range(WARM_LIMIT):
        warm.use(plain, waited=False, for_job=True)
    warm.use(plain, waited=True)
    assert warm.missing(plain) == 2
