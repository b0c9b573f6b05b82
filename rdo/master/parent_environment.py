"""Who started a command: whether it is a shell, at which somebody may have typed it, and with which environment it was
itself started. Only Linux shows that (proc(5)).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rdo.fscodec import fsdecode

SIZE_LIMIT = 256 * 1024
"""Bytes of an environment that are looked at."""

SHELLS = frozenset(
    {"sh", "bash", "dash", "ash", "busybox", "zsh", "ksh", "mksh", "yash", "fish", "tcsh", "csh", "posh"}
    | {"elvish", "ksh93", "lksh", "loksh", "nu", "oksh", "osh", "pwsh", "rbash", "rc", "xonsh", "ysh"}
)

NO_START_FILES = frozenset({"--norc", "--no-rcs", "--no-config", "-f"})
"""Options by which bash, zsh and fish read no file at their start that could set a variable."""


class Parent(NamedTuple):
    """The process that started a command."""

    is_shell: bool
    environment: Mapping[str, str]
    """With which it was started."""
    adds_nothing: bool
    """Whether it has set no other variable since, except for a single command."""


def of(process: int) -> Parent | None:
    """The process's parent; None if it is unknown."""
    if sys.platform != "linux" or process <= 0:
        return None
    try:
        stat = _read(process, "stat")
        parent = int(stat[stat.rindex(b")") + 1 :].split()[1])
        found = dict(pair.split("=", 1) for pair in _words(parent, "environ") if "=" in pair)
        words = _words(parent, "cmdline")
        return Parent(is_shell(words), found, keeps(words, found)) if found else None
    except (OSError, ValueError):
        return None


def is_shell(words: Sequence[str]) -> bool:
    """Whether a process of this command line is a shell."""
    return any(os.path.basename(word).lstrip("-") in SHELLS for word in words[:2])  # xonsh is a script


def keeps(words: Sequence[str], environment: dict[str, str]) -> bool:
    """Whether a shell of this command line sets no variable, except for a single command.

    One adds what its start-up files and its script set; with a shell string, or without such files, it does not.
    """
    program = os.path.basename(words[0]) if words else ""
    options = {word for word in words[1:] if word.startswith("-")}
    if any(word[1] != "-" and word.endswith("c") for word in options if len(word) > 1):
        return True
    if program in ("sh", "dash", "ash") and "ENV" not in environment and len(options) == len(words) - 1:
        return "-l" not in options
    return not NO_START_FILES.isdisjoint(options) and len(options) == len(words) - 1


def _words(process: int, name: str) -> list[str]:
    return fsdecode(_read(process, name)).split("\0")[:-1]


def _read(process: int, name: str) -> bytes:
    with open(f"/proc/{process}/{name}", "rb") as file:
        return file.read(SIZE_LIMIT)
