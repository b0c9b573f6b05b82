"""`rdo --watch`: runs a command again whenever a local file has changed. Not on the hot path."""

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
"""Seconds after which all files are examined even if no change was reported."""

SETTLE_GRACE = 0.15
"""Seconds without a further change before a run: an editor writes several files, and `git switch` thousands."""

CLEAR = "\033[H\033[2J"


def run(words: Sequence[str], options: Options) -> int:
    """Run the command line again and again until Ctrl-C, and return the exit status. Raises RdoError."""
    if not options.command and options.shell_string is None:
        raise UsageError("`--watch` needs a command", "", "as in `rdo --watch make test`")
    here = project.working_directory()
    project.complete(os.environ)
    environ = dict(os.environ)
    if options.directory:
        project.change_directory(options.directory, environ)
    found = project.discover(environ, options.project)
    os.chdir(here)  # each run applies -C again
    files = _Files(found.config, argv.profile(options, os.environ))
    python, *program = own_command()
    command = [python, "-X", WATCHED, *program, *without_watch(words)]
    try:
        return _Rerun(files, command).run()
    finally:
        files.close()


def own_command() -> list[str]:
    """The interpreter and program of this process, without the words of its command line."""
    return sys.orig_argv[: len(sys.orig_argv) - len(sys.argv[1:])]


def without_watch(words: Sequence[str]) -> list[str]:
    """The same command line without `--watch`."""
    given = argv.parse(list(words))
    for index in [index for index, word in enumerate(words) if word == "--watch"]:
        rest = [*words[:index], *words[index + 1 :]]
        try:
            parsed = argv.parse(list(rest))
        except UsageError:
            continue  # this `--watch` was the value of another option
        same = all(getattr(parsed, name) == getattr(given, name) for name in Options.__slots__ if name != "watch")
        if same:
            return without_watch(rest) if parsed.watch else rest
    return list(words)


def _report(line: str) -> None:
    print(f"rdo: {printable(line)}", file=sys.stderr, flush=True)


class _Files:
    """The files whose changes count according to the current config."""

    def __init__(self, config: str, profile: str) -> None:
        """Raises RdoError."""
        self._config = config
        self._profile = profile
        self._rules = self._read()
        self._local = self._tree()

    @property
    def is_apart(self) -> bool:
        """Whether commands cannot change the local files."""
        return self._rules.mode == "push"

    def refresh(self) -> bool:
        """Read the config again. Returns whether other files count now. Ignores an error, which the run reports."""
        with contextlib.suppress(RdoError):
            before, self._rules = self._rules, self._read()
            if self._rules != before:
                self._local.close()
                self._local = self._tree()
                return True
        return False

    def settle(self) -> Tree:
        """The current files; the same object as before if nothing has changed. Raises RdoError."""
        return self._local.settle(os.environ)

    def wait(self, timeout: float) -> None:
        """Wait for a change, for so many seconds at most."""
        self._local.wait(timeout)

    def close(self) -> None:
        """Stop watching."""
        self._local.close()

    def _read(self) -> SyncRules:
        loaded = load.load(self._config, self._profile, project.user_file(os.environ))
        return rules_of(loaded.settings)

    def _tree(self) -> LocalTree:
        return LocalTree(os.path.dirname(self._config), self._rules, _report)


class Ended(BaseException):
    """A signal asked rdo to end, with this exit status."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Do nothing. With SIG_IGN instead, Python would complain about a signal that had arrived just before."""


def _raise(number: int, _: FrameType | None) -> NoReturn:
    for each in ENDING:
        signal.signal(each, _do_nothing)  # a second signal would interrupt the clean-up
    raise Ended(128 + number)


class _Rerun:
    """The runs of one command."""

    def __init__(self, files: _Files, command: Sequence[str]) -> None:
        self._files = files
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """See `run` of this module."""
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
            if not self._files.is_apart:  # the command itself may have made the changes during the run
                self._files.refresh()
                tree = self._files.settle()
            tree = self._changed(tree)
            if self._files.refresh():
                tree = self._files.settle()
            if sys.stdout.isatty():
                print(CLEAR, end="", flush=True)
        return INTERRUPTED

    def _changed(self, before: Tree) -> Tree:
        """Wait until files have changed, and then until nothing has changed for a moment."""
        while (tree := self._files.settle()) is before:
            self._files.wait(LOOK_INTERVAL)
        while True:
            self._files.wait(SETTLE_GRACE)
            latest, tree = tree, self._files.settle()
            if tree is latest:
                return tree

    def _run_once(self) -> int | None:
        """Run the command; its exit status, or None if Ctrl-C ended it."""
        self._process = subprocess.Popen(self._command)
        interrupted = False
        while True:
            try:
                status = self._process.wait()
                break
            except KeyboardInterrupt:
                interrupted = True  # the command received the signal, too
        self._process = None
        if interrupted or status in (-signal.SIGINT, INTERRUPTED):
            return None
        return 128 - status if status < 0 else status

    def _end(self, status: int) -> int:
        """Send the command the signal that rdo received, and return the status."""
        if self._process is not None:
            self._process.send_signal(status - 128)
            self._process.wait()
        return status
