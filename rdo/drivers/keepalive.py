"""Finds out whether a peer still answers: asks it when somebody needs to know, and watches it while it is in use.

The watching thread exists only while a command is running or was running recently. This module knows neither SSH nor
Docker; the functions that ask the peer and that give it up are passed in.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from rdo.drivers.link_watch import SilenceObserver
from rdo.drivers.silence import KEEPALIVE_TIMEOUTS, KeepaliveTimeouts, Silence, Step
from rdo.errors import SetupError
from rdo.util import clock, log, threads


class SignOfLife:
    """When a peer was last heard from, and who waits for the next time. Updated by the receiving thread.
    Thread-safe."""

    def __init__(self, elapsed: Callable[[], float] = clock.elapsed) -> None:
        self._elapsed = elapsed
        self.at = elapsed()
        """The time, by a clock that continues while the machine sleeps."""
        self.is_last = False
        """Whether there will be no more signs of life."""
        self._waiting: list[Callable[[], None]] = []

    def note(self) -> None:
        """Note that the peer was heard from."""
        self.at = self._elapsed()
        if self._waiting:
            self._wake()

    def end(self) -> None:
        """Note that the peer has gone, or was given up."""
        self.is_last = True
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            with log.contained():
                call()

    def when_next(self, call: Callable[[], None]) -> None:
        """Call the function once, at the next sign of life or at the end, in the thread that notes it."""
        self._waiting.append(call)


class Keepalive:
    """The LinkWatch of a peer. `ask` asks the peer for a sign of life; `end` gives it up, with the reason.

    Neither may wait for the peer.
    """

    def __init__(
        self,
        sign: SignOfLife,
        ask: Callable[[], None],
        end: Callable[[str], None],
        timeouts: KeepaliveTimeouts = KEEPALIVE_TIMEOUTS,
        now: clock.Clock = clock.now,
    ) -> None:
        self._sign = sign
        self._ask = ask
        self._end = end
        self._now = now
        self._changed = threading.Condition()
        """Guards everything below. Notified when a check is due earlier than planned."""
        self._silence = Silence(timeouts)
        self._observers: list[SilenceObserver] = []
        self._thread: threading.Thread | None = None
        if timeouts.idle_interval is not None:
            with self._changed:
                self._watch()

    @property
    def ended(self) -> bool:
        """See LinkWatch."""
        return self._sign.is_last

    @property
    def is_silent(self) -> bool:
        """See LinkWatch."""
        return not self.ended and self._silence.is_overdue(self._now(), self._sign.at)

    @property
    def is_doubtful(self) -> bool:
        """See LinkWatch."""
        return not self._silence.is_trusted(self._now(), self._sign.at)

    def has_name(self, name: str) -> bool:
        """See LinkWatch. The peer that answers is always the one that was asked."""
        return True

    def check_alive(self) -> bool:
        """See LinkWatch. Waits up to `ping_timeout`."""
        now, heard = self._now(), self._sign.at
        if self.ended or self._silence.is_trusted(now, heard):
            return not self.ended
        answered = threading.Event()
        self._sign.when_next(answered.set)
        with self._changed:
            time_left = self._silence.time_left(now, heard)
            must_ask = self._silence.ask(now, heard)
            self._watch()
        if must_ask:
            self._ask()
        if time_left > 0 and self._sign.at == heard:
            answered.wait(time_left)
        return self._sign.at > heard and not self.ended

    def when_heard(self, call: Callable[[], None]) -> None:
        """See LinkWatch."""
        self._sign.when_next(call)

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """See LinkWatch."""
        with self._changed:
            if self._silence.begin_command(self._now()) or self._thread is None:
                self._watch()
        try:
            yield
        finally:
            with self._changed:
                self._silence.end_command(self._now())

    @contextlib.contextmanager
    def observed(self, observer: SilenceObserver) -> Iterator[None]:
        """See LinkWatch."""
        with self._changed:
            self._observers.append(observer)
        try:
            yield
        finally:
            with self._changed:
                self._observers.remove(observer)

    def stop(self) -> None:
        """End the watching thread, since the link is closed."""
        self._sign.end()
        self._look_again()

    def join(self, timeout: float) -> None:
        """Wait for the watching thread to end."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _watch(self) -> None:
        """Start the watching thread, or wake it. Call with the lock held."""
        if self._thread is not None or self.ended:
            self._changed.notify_all()
            return
        self._silence.begin_watch(self._now())
        with contextlib.suppress(SetupError):  # the next command tries again
            self._thread = threads.start(self._run, name="rdo-keepalive", broken=self._forget_thread)

    # In the thread

    def _forget_thread(self, _: BaseException) -> None:
        """Forget the thread, which has failed. The next command starts another one."""
        with self._changed:
            self._thread = None

    def _run(self) -> None:
        while (step := self._next_step()) is not None:
            if step.is_dead:
                self._give_up()
                return
            if step.ask:
                self._ask()
            self._report(step)

    def _next_step(self) -> Step | None:
        """Wait for the next step, and return it; None when nobody uses the link any more."""
        with self._changed:
            while not self.ended:
                step = self._silence.look(self._now(), self._sign.at)
                if step.wait is None:
                    break
                if step.ask or step.is_dead or step.silent_for is not None or step.answers_after is not None:
                    return step
                self._changed.wait(step.wait)
            self._thread = None
            return None

    def _report(self, step: Step) -> None:
        if step.silent_for is None and step.answers_after is None:
            return
        with self._changed:
            observers = list(self._observers)
        if step.silent_for is not None:
            self._sign.when_next(self._look_again)
            for observer in observers:
                observer.falls_silent(step.silent_for)
        if step.answers_after is not None:
            for observer in observers:
                observer.answers_again(step.answers_after)

    def _look_again(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _give_up(self) -> None:
        with self._changed:
            seconds = self._silence.silent_for(self._now(), self._sign.at)
        self._sign.end()
        self._end(f"no answer for {seconds:.0f} s")
