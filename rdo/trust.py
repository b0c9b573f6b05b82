"""What the user has allowed repositories to want: records in the user's state folder, and the question before one.

A record is a file of its own for each config file and profile, replaced in one step, so that several may write. What is
there to be allowed is decided in grant.py.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from rdo import grant, small_file
from rdo.config import Config
from rdo.errors import RdoError, SetupError, printable
from rdo.grant import Grant

BYPASS = "RDO_TRUST"
"""A variable that allows everything while it is `1`: for CI, which runs the repository's code anyway."""

QUESTION = "Allow this, now and later? Type `yes`: "

LARGEST = 1024 * 1024
"""Bytes that are read of a record, or of a program."""


class Standing(Enum):
    """How a grant stands with the user, in words."""

    FREE = "nothing that has to be allowed"
    BYPASSED = f"allowed by {BYPASS}=1"
    ALLOWED = "allowed"
    CHANGED = "changed since it was allowed"
    UNKNOWN = "not allowed yet"

    @property
    def is_allowed(self) -> bool:
        return self not in (Standing.CHANGED, Standing.UNKNOWN)


class Record(NamedTuple):
    """What was allowed when (seconds since the epoch)."""

    config: str
    profile: str
    digest: str
    date: float


class Store:
    """The records of one user. Raises SetupError where others could have made them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        base = environment.get("XDG_STATE_HOME", "")
        if not base.startswith("/"):
            base = os.path.join(environment.get("HOME", "/"), ".local", "state")
        self._base = os.path.join(base, "rdo")
        self._folder = os.path.join(self._base, "allowed")

    def find(self, config: str, profile: str) -> Record | None:
        """The record of a profile."""
        record = self._read(self._path(config, profile))
        return record if record and (record.config, record.profile) == (config, profile) else None

    def add(self, wish: Grant) -> None:
        """Allow it, in the place of what was allowed before. Raises SetupError."""
        record = Record(wish.config, wish.profile, wish.digest, time.time())
        try:
            self._make_folders()
            from rdo import whole_file  # only here: what makes files with names of their own is slow to load

            whole_file.write(self._path(wish.config, wish.profile), json.dumps(record._asdict()))
        except OSError as error:
            what = f"cannot keep in `{self._folder}` what is allowed"
            raise SetupError(what, str(error.strerror), f"make room there, or set {BYPASS}=1 for this once") from None

    def forget(self, config: str, profile: str) -> bool:
        """Take back what was allowed; whether there was something. Raises SetupError."""
        try:
            os.unlink(self._path(config, profile))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise SetupError(f"cannot remove a file of `{self._folder}`", str(error.strerror)) from None
        return True

    def records(self) -> list[Record]:
        """All records, in the order of their config files and profiles."""
        try:
            paths = [f"{self._folder}/{name}" for name in os.listdir(self._folder) if not name.startswith(".")]
        except OSError:
            return []
        return sorted(record for record in map(self._read, paths) if record)

    def _make_folders(self) -> None:
        os.makedirs(os.path.dirname(self._base), mode=0o700, exist_ok=True)
        for folder in (self._base, self._folder):
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder, 0o700)
            os.chmod(folder, 0o700)  # others of rdo's files may have been there first

    def _path(self, config: str, profile: str) -> str:
        name = hashlib.sha256(os.fsencode(f"{config}\0{profile}")).hexdigest()[:32]
        return os.path.join(self._folder, name)

    def _read(self, path: str) -> Record | None:
        """A record that nobody else can have written; None for what is no record."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        with open(descriptor, "rb") as file:
            _check_private(self._folder, os.lstat(self._folder))
            _check_private(path, os.fstat(descriptor))
            try:
                found = json.loads(file.read(LARGEST))
                return Record(found["config"], found["profile"], found["digest"], float(found["date"]))
            except (ValueError, KeyError, TypeError, OSError):
                return None


def _check_private(path: str, info: os.stat_result) -> None:
    if info.st_uid != os.geteuid():
        raise SetupError(f"`{path}` belongs to another user", f"uid {info.st_uid}", "remove it")
    if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SetupError(f"`{path}` can be written by others", "", "remove it, and allow anew what you trust")


def wanted(config: Config, programs: Sequence[str]) -> Grant:
    """What the config wants, with `programs` as they are now: files that its driver has run on this machine."""
    return grant.wanted(config, [(path, _content(path)) for path in programs])


def _content(path: str) -> str:
    """A file's content in short."""
    try:
        return f"sha256:{hashlib.sha256(small_file.read(path, LARGEST)).hexdigest()}"
    except OSError as error:
        raise SetupError(f"cannot read `{path}`", str(error.strerror)) from None


def is_bypassed(environment: Mapping[str, str]) -> bool:
    """Whether the one whose environment this is takes everything as allowed."""
    return environment.get(BYPASS) == "1"


def standing(wish: Grant, environment: Mapping[str, str]) -> Standing:
    """How it stands with the user whose environment this is. Raises SetupError."""
    if not wish.values:
        return Standing.FREE
    if is_bypassed(environment):
        return Standing.BYPASSED
    record = Store(environment).find(wish.config, wish.profile)
    if record is None:
        return Standing.UNKNOWN
    return Standing.ALLOWED if record.digest == wish.digest else Standing.CHANGED


def question(wish: Grant) -> str:
    """What to ask the user: the values, one a line, and how to answer."""
    head = printable(f"`{wish.config}`, profile `{wish.profile}`, wants:")
    return "\n".join([head, *(f"  {line}" for line in wish.lines), QUESTION])


def is_yes(answer: str | None) -> bool:
    """Whether this allows it: only a whole `yes` does."""
    return answer is not None and answer.strip() == "yes"


def refusal(wish: Grant, why: str = "") -> RdoError:
    """The error of whoever wanted to go on without."""
    return RdoError(f"profile `{wish.profile}` of `{wish.config}` is not allowed yet", why, f"type `{wish.command}`")
