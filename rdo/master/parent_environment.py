"""The process that started a command: whether it is a shell where somebody may have typed it, and the environment which
that process was itself started with. Only Linux shows that (proc(5))."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rdo.fscodec import fsdecode

SIZE_LIMIT = 256 * 1024
"""Bytes of an environment to read."""

SHELLS = frozenset(
    {"sh", "bash", "dash", "ash", "busybox", "zsh", "ksh", "mksh", "yash", "fish", "tcsh", "csh", "posh"}
    | {"elvish", "ksh93", "lksh", "loksh", "nu", "oksh", "osh", "pwsh", "rbash", "rc", "xonsh", "ysh"}
)

NO_START_FILES = frozenset({"--norc", "--no-rcs", "--no-config", "-f"})
"""Options that keep bash, zsh and fish from reading start-up files, which could set variables."""


class Parent(NamedTuple):
    """The process that started a command."""

    is_shell: bool
    environment: Mapping[str, str]
    """The environment that it was started with."""
    adds_nothing: bool
    """Whether it has set no other variables since, except for single commands."""


def of(process: int) -> Parent | None:
    """The parent of the process; None if it is unknown."""
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
    """Whether a process with this command line is a shell."""
    return any(os.path.basename(word).lstrip("-") in SHELLS for word in words[:2])  # xonsh is a Python script


def keeps(words: Sequence[str], environment: dict[str, str]) -> bool:
    """Whether a shell with this command line sets no variables, except for single commands.

    Start-up files and scripts may set some; a shell without start-up files, or with a shell string, does not.
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
