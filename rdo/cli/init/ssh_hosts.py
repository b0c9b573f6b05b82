"""The hosts that the user's ssh configuration names, for someone to choose of. Reads files; what a host means is said
by `ssh -G`, and not looked at here."""

from __future__ import annotations

import glob
import os
import shlex
from collections.abc import Iterator, Mapping

from rdo.cli.init.survey import read

DEEPEST = 16
"""Files that include one another, as in ssh_config(5)."""

MOST = 1000
"""Files in all."""


def named(environment: Mapping[str, str], given: str | None = None) -> list[str]:
    """The aliases of ~/.ssh/config, or of the file `given` in its place, and of the files that it includes."""
    home = environment.get("HOME") or os.path.expanduser("~")
    path = given or os.path.join(home, ".ssh", "config")
    budget = iter(range(MOST))
    words = (word for line in _lines(path, home, 0, budget) for word in line)
    return list(dict.fromkeys(word for word in words if not set(word) & set("*?!%") and not word.startswith("-")))


def _lines(path: str, home: str, depth: int, budget: Iterator[int]) -> Iterator[list[str]]:
    """The words of each `Host`."""
    text = read(os.path.dirname(path), os.path.basename(path))
    if text is None or depth > DEEPEST or next(budget, None) is None:
        return
    for line in text.split("\n"):
        keyword, *words = _words(line)
        if keyword == "host":
            yield words
        elif keyword == "include":
            for included in [each for word in words for each in sorted(glob.glob(_absolute(word, home)))]:
                yield from _lines(included, home, depth + 1, budget)


def _words(line: str) -> list[str]:
    """Keyword, in lower case, and arguments: `Key value`, `Key=value`, with quotes and a comment at the end."""
    keyword, _, rest = line.strip().replace("=", " ", 1).replace("\t", " ").partition(" ")
    try:
        words = shlex.split(rest, comments=True)
    except ValueError:
        words = []
    return [keyword.lower(), *words]


def _absolute(path: str, home: str) -> str:
    """As ssh_config(5) has it: `~` is the home, and what is relative is below ~/.ssh."""
    if path == "~" or path.startswith("~/"):
        return home + path[1:]
    return os.path.join(home, ".ssh", path)
