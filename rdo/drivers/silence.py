"""How long a peer has been silent, and what is due because of that: a question, a report, or giving it up. Pure.

Silence is measured by a clock that continues while the machine sleeps. So after a suspend, a command always asks first;
and what is running gets the full time once more, since the check then comes late.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from rdo.util.clock import Instant

LATE_LIMIT = 2.0
"""Seconds after which a check came too late to blame the peer: the machine slept, or this process was stopped."""

TOLERANCE = 0.01
"""Seconds by which a wait may be shorter than requested."""


class KeepaliveTimeouts(NamedTuple):
    """How long a peer may be silent; all in seconds."""

    liveness: float = 3.0
    """Time since the peer was last heard from, within which a command trusts it without asking."""
    ping_timeout: float = 3.0
    """Time to wait for an answer before trying a new connection."""
    ping_interval: float = 2.0
    """Silence before the peer is asked, and asked again, while it is in use. Less than `liveness` by a slow round
    trip."""
    active_for: float = 60.0
    """Time after the last command in which the peer still counts as in use, since somebody may be typing the next
    one."""
    idle_interval: float | None = None
    """Like `ping_interval`, while the peer is not in use. None: then nothing is sent."""
    report_after: float = 5.0
    """Silence before it is reported to those who run commands."""
    dead_after: float = 20.0
    """Silence before the peer is given up while a command is running."""
    idle_dead_after: float = 40.0
    """The same while none is running: some servers take half a minute to open the first session, in silence (PAM)."""


KEEPALIVE_TIMEOUTS = KeepaliveTimeouts()


class Step(NamedTuple):
    """What to do now."""

    wait: float | None
    """Seconds until the next check; None if there is nothing to check."""
    ask: bool = False
    silent_for: float | None = None
    """Report that the peer has not answered for so many seconds."""
    answers_after: float | None = None
    """Report that the peer answers again, after so many seconds."""
    is_dead: bool = False


class Silence:
    """The silence of one peer. In each call, `heard` is the elapsed time at which it was last heard from."""

    def __init__(self, timeouts: KeepaliveTimeouts) -> None:
        self._timeouts = timeouts
        self._commands = 0
        self._used = -math.inf
        self._since = 0.0
        """When the watch began. Earlier silence does not count."""
        self._due = 0.0
        """When the next check was due."""
        self._asked: Instant | None = None
        """When the first question was asked that has not been answered."""
        self._last_question = -math.inf
        self._reported: float | None = None
        """When the silence that was reported began."""

    def begin_watch(self, now: Instant) -> None:
        """Begin to watch: checks follow from now on."""
        self._since = self._due = now.elapsed

    def begin_command(self, now: Instant) -> bool:
        """Note that a command uses the peer, and return whether none has recently."""
        rested = self._interval(now.elapsed) != self._timeouts.ping_interval
        self._commands += 1
        self._used = now.elapsed
        return rested

    def end_command(self, now: Instant) -> None:
        """The counterpart of `begin_command`."""
        self._commands -= 1
        self._used = now.elapsed

    def is_trusted(self, now: Instant, heard: float) -> bool:
        """Whether the peer was heard from recently."""
        return now.elapsed - heard < self._timeouts.liveness

    def ask(self, now: Instant, heard: float) -> bool:
        """Note that somebody waits for an answer, and return whether a question has to be sent for that."""
        self._take_answer(heard)
        if self._asked is not None and _slept(self._asked, now):
            self._asked = None
        self._asked = self._asked or now
        return self._question(now, self._timeouts.ping_interval)

    def time_left(self, now: Instant, heard: float) -> float:
        """Seconds left for the answer to a question that was asked; the full time if none was."""
        asked = self._asked
        if asked is None or heard >= asked.elapsed or _slept(asked, now):
            return self._timeouts.ping_timeout
        return self._timeouts.ping_timeout - (now.awake - asked.awake)

    def is_overdue(self, now: Instant, heard: float) -> bool:
        """Whether an answer is overdue."""
        return self._asked is not None and self.time_left(now, heard) <= TOLERANCE

    def silent_for(self, now: Instant, heard: float) -> float:
        """Seconds of silence so far."""
        return now.elapsed - max(heard, self._since)

    def look(self, now: Instant, heard: float) -> Step:
        """What to do at this time."""
        self._take_answer(heard)
        interval = self._interval(now.elapsed)
        if interval is None and self._asked is None and self._reported is None:
            return Step(None)
        is_late = now.elapsed - self._due > LATE_LIMIT
        if is_late:
            self._since, self._asked, self._last_question = now.elapsed, None, -math.inf
        began = max(heard, self._since)
        silence = now.elapsed - began
        ask = interval is not None and (is_late or silence >= interval) and self._question(now, interval)
        if ask:
            self._asked = self._asked or now
        wait = max(TOLERANCE, self._next_look(began, interval) - now.elapsed)
        self._due = now.elapsed + wait
        is_dead = self._is_dead(now, silence)
        return Step(wait, ask, self._new_report(began, silence), self._report_answered(heard), is_dead)

    def _take_answer(self, heard: float) -> None:
        if self._asked is not None and heard >= self._asked.elapsed:
            self._asked = None

    def _interval(self, now: float) -> float | None:
        is_in_use = self._commands or now - self._used < self._timeouts.active_for
        return self._timeouts.ping_interval if is_in_use else self._timeouts.idle_interval

    def _question(self, now: Instant, interval: float) -> bool:
        is_due = now.elapsed - self._last_question >= interval - TOLERANCE
        if is_due:
            self._last_question = now.elapsed
        return is_due

    def _dead_after(self) -> float:
        return self._timeouts.dead_after if self._commands else self._timeouts.idle_dead_after

    def _next_look(self, began: float, interval: float | None) -> float:
        """When something may be due next."""
        due = [began + self._dead_after()]
        if interval is not None:
            due.append(max(began, self._last_question) + interval)
        if self._commands and self._reported is None:
            due.append(began + self._timeouts.report_after)
        return min(due)

    def _is_dead(self, now: Instant, silence: float) -> bool:
        """Whether the peer has been silent for long, and was asked in that time."""
        limit = self._dead_after()
        if self._asked is None or silence < limit:
            return False
        return now.awake - self._asked.awake >= min(self._timeouts.ping_timeout, limit / 2)

    def _new_report(self, began: float, silence: float) -> float | None:
        if not self._commands or self._reported is not None or silence < self._timeouts.report_after:
            return None
        self._reported = began
        return silence

    def _report_answered(self, heard: float) -> float | None:
        if self._reported is None or heard <= self._reported:
            return None
        began, self._reported = self._reported, None
        return heard - began


def _slept(then: Instant, now: Instant) -> bool:
    """Whether the machine slept in between."""
    return (now.elapsed - then.elapsed) - (now.awake - then.awake) > LATE_LIMIT
