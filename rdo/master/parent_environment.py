"""The environment with which the process that started a command was itself started. Only Linux shows it (proc(5))."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from rdo.fscodec import fsdecode

SIZE_LIMIT = 256 * 1024
"""Bytes of an environment that are looked at."""

SHELLS = frozenset(
    {"sh", "bash", "dash", "ash", "busybox", "zsh", "ksh", "mksh", "yash", "fish", "tcsh", "csh", "posh"}
)

NO_START_FILES = frozenset({"--norc", "--no-rcs", "--no-config", "-f"})
"""Options by which bash, zsh and fish read no file at their start that could set a variable."""


def of(process: int) -> dict[str, str] | None:
    """That of the process's parent; None if it is unknown, or if the parent may have added to it since.

    A shell adds what its start-up files and its script set; one with a shell string, or without such files, does not.
    """
    if sys.platform != "linux" or process <= 0:
        return None
    try:
        stat = _read(process, "stat")
        parent = int(stat[stat.rindex(b")") + 1 :].split()[1])
        found = dict(pair.split("=", 1) for pair in _words(parent, "environ") if "=" in pair)
        return found if found and keeps(_words(parent, "cmdline"), found) else None
    except (OSError, ValueError):
        return None


def keeps(words: Sequence[str], environment: dict[str, str]) -> bool:
    """Whether a process of this command line sets no variable, except for a single command."""
    program = os.path.basename(words[0]) if words else ""
    if program.lstrip("-") not in SHELLS:
        return True
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
