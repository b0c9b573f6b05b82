"""`rdo --watch`: runs a command again after each change of a file here. Not on the hot path."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from rdo import project
from rdo.client import argv
from rdo.client.argv import Options
from rdo.client.foreground import WATCHED
from rdo.config import load
from rdo.errors import RdoError, UsageError, printable
from rdo.sync.entry import Tree
from rdo.sync.local_tree import LocalTree
from rdo.sync.rules import SyncRules, rules_of

ENDING = (signal.SIGTERM, signal.SIGHUP)

INTERRUPTED = 128 + signal.SIGINT

LOOK_INTERVAL = 3600.0
"""Seconds until all is looked at though nothing was reported."""

SETTLE_GRACE = 0.15
"""Seconds without a change after which one is complete: an editor writes several files, `git switch` thousands."""

CLEAR = "\033[H\033[2J"


def run(words: Sequence[str], options: Options) -> int:
    """Run the command line until Ctrl-C; its exit status then. Raises RdoError."""
    if not options.command and options.shell_string is None:
        raise UsageError("`--watch` needs a command", "", "as in `rdo --watch make test`")
    here = project.working_directory()
    project.complete(os.environ)
    environ = dict(os.environ)
    if options.directory:
        project.change_directory(options.directory, environ)
    found = project.discover(environ, options.project)
    os.chdir(here)  # the command line of each run says where it goes from here
    files = _Files(found.config, argv.profile(options, os.environ))
    python, *program = own_command()
    command = [python, "-X", WATCHED, *program, *without_watch(words)]
    try:
        return _Rerun(files, command).run()
    finally:
        files.close()


def own_command() -> list[str]:
    """What started this process, without the words of the command line."""
    return sys.orig_argv[: len(sys.orig_argv) - len(sys.argv[1:])]


def without_watch(words: Sequence[str]) -> list[str]:
    """The same command line for one run."""
    given = argv.parse(list(words))
    for index in [index for index, word in enumerate(words) if word == "--watch"]:
        rest = [*words[:index], *words[index + 1 :]]
        try:
            parsed = argv.parse(list(rest))
        except UsageError:
            continue  # it was the value of another option
        same = all(getattr(parsed, name) == getattr(given, name) for name in Options.__slots__ if name != "watch")
        if same:
            return without_watch(rest) if parsed.watch else rest
    return list(words)


def _report(line: str) -> None:
    print(f"rdo: {printable(line)}", file=sys.stderr, flush=True)


class _Files:
    """The files whose changes count, according to the config as it is now."""

    def __init__(self, config: str, profile: str) -> None:
        """Raises RdoError."""
        self._config = config
        self._profile = profile
        self._rules = self._read()
        self._local = self._tree()

    @property
    def is_apart(self) -> bool:
        """Whether the command changes none of the files here."""
        return self._rules.mode == "push"

    def refresh(self) -> bool:
        """Read the config again: whether other files count now. If it has a fault, which the run reports, all stays."""
        with contextlib.suppress(RdoError):
            before, self._rules = self._rules, self._read()
            if self._rules != before:
                self._local.close()
                self._local = self._tree()
                return True
        return False

    def settle(self) -> Tree:
        """The files as they are; the same object if nothing has changed. Raises RdoError."""
        return self._local.settle(os.environ)

    def wait(self, timeout: float) -> None:
        """Wait for a change, for so many seconds at most."""
        self._local.wait(timeout)

    def close(self) -> None:
        """Watch no more."""
        self._local.close()

    def _read(self) -> SyncRules:
        loaded = load.load(self._config, self._profile, project.user_file(os.environ))
        return rules_of(loaded.settings)

    def _tree(self) -> LocalTree:
        return LocalTree(os.path.dirname(self._config), self._rules, _report)


class Ended(BaseException):
    """A signal asks to end, with this exit status."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Do nothing. With SIG_IGN instead, Python would complain of a signal that came just before."""


def _raise(number: int, _: FrameType | None) -> NoReturn:
    for each in ENDING:
        signal.signal(each, _do_nothing)  # a second one would end what this one begins
    raise Ended(128 + number)


class _Rerun:
    """The runs of one command."""

    def __init__(self, files: _Files, command: Sequence[str]) -> None:
        self._files = files
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """See above."""
        for number in ENDING:
            signal.signal(number, _raise)
        try:
            return self._run()
        except Ended as end:
            return self._end(end.status)

    def _run(self) -> int:
        tree = self._files.settle()
        while (status := self._run_once()) is not None:
            if sys.stderr.isatty():
                _report(f"the command ended with status {status} at {time.strftime('%H:%M:%S')}; waiting for a change")
            if not self._files.is_apart:  # what has changed meanwhile may be the command's own work
                self._files.refresh()
                tree = self._files.settle()
            tree = self._changed(tree)
            if self._files.refresh():
                tree = self._files.settle()
            if sys.stdout.isatty():
                print(CLEAR, end="", flush=True)
        return INTERRUPTED

    def _changed(self, before: Tree) -> Tree:
        """Wait until the files are others, and stay so for a moment."""
        while (tree := self._files.settle()) is before:
            self._files.wait(LOOK_INTERVAL)
        while True:
            self._files.wait(SETTLE_GRACE)
            latest, tree = tree, self._files.settle()
            if tree is latest:
                return tree

    def _run_once(self) -> int | None:
        """The exit status; None if Ctrl-C ended it."""
        self._process = subprocess.Popen(self._command)
        interrupted = False
        while True:
            try:
                status = self._process.wait()
                break
            except KeyboardInterrupt:
                interrupted = True  # it got the signal, too
        self._process = None
        if interrupted or status in (-signal.SIGINT, INTERRUPTED):
            return None
        return 128 - status if status < 0 else status

    def _end(self, status: int) -> int:
        """End the command in the same way."""
        if self._process is not None:
            self._process.send_signal(status - 128)
            self._process.wait()
        return status
