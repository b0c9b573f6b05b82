"""The profiles that a control master has loaded from config files. A profile is loaded again when its files have
changed."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from rdo import project
from rdo.client import argv
from rdo.config import load, worktree
from rdo.config.load import Config
from rdo.drivers import registry
from rdo.drivers.base import Driver
from rdo.fscodec import fsdecode
from rdo.ipc.request import Request
from rdo.master.trust_check import TrustCheck
from rdo.trust.store import Store
from rdo.util import log

PROFILE_LIMIT = 256
"""Profiles to keep, the latest ones. Each takes a few KiB, and loading it again a few milliseconds."""

CALLER_LIMIT = 16
"""Sets of callers' variables to keep per profile."""

LOAD_LIMIT = 3
"""Attempts to load a config that changes meanwhile."""

Environment = Mapping[str, str]

ENV_VARS = (*registry.ENV_VARS, "XDG_STATE_HOME")
"""The caller's variables on which the target depends, and where records of trust are."""


class CallerProfile(NamedTuple):
    """A profile for callers whose ENV_VARS are equal."""

    driver: Driver
    trust_check: TrustCheck


class Profile:
    """A profile of a config file, as of its stamp. Thread-safe."""

    def __init__(self, config: Config, stamp: str) -> None:
        self.config = config
        self.stamp = stamp
        self.worktree_fault = worktree.fault(config)
        self._lock = threading.Lock()
        """Guards `_by_caller`."""
        self._by_caller: dict[tuple[str | None, ...], CallerProfile] = {}

    def of_caller(self, environment: Environment) -> CallerProfile:
        """The profile for callers with this environment. Raises ConfigError."""
        key = tuple(map(environment.get, ENV_VARS))
        found = self._by_caller.get(key)
        if found is None:
            self.config.check_sync_root(environment)
            programs = partial(registry.programs, self.config, environment)
            check = TrustCheck(self.config, programs, Store(environment).directory)
            made = CallerProfile(registry.create(self.config, environment), check)
            with self._lock:
                found = self._by_caller.setdefault(key, made)
                for oldest in list(self._by_caller)[:-CALLER_LIMIT]:
                    del self._by_caller[oldest]
        return found


class _Place:
    """The entry for a profile of a config file."""

    def __init__(self) -> None:
        self.loading = threading.Lock()
        """Guards `profile`, which is loaded only once; held while the files are read."""
        self.profile: Profile | None = None


class ProfileTable:
    """All profiles that were asked for. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards the entries."""
        self._places: dict[tuple[str, str, str], _Place] = {}

    def of(self, request: Request, environment: Environment) -> Profile:
        """The profile that a request names, from the files as they are now. Raises ConfigError."""
        key = (fsdecode(request.config), fsdecode(request.profile), project.user_file(environment))
        with self._lock:
            place = self._places.pop(key, None) or _Place()
            self._places[key] = place  # keeps the latest last
            for oldest in list(self._places)[:-PROFILE_LIMIT]:
                del self._places[oldest]
        profile = place.profile
        if profile is not None and profile.stamp == fsdecode(request.stamp):
            return profile
        variable = argv.profile_variable(environment)
        named_by = variable if environment.get(variable) == key[1] else ""  # as far as the request shows
        with place.loading:
            now = project.stamp(key[0], key[2])
            if place.profile is None or place.profile.stamp != now:
                again = place.profile is not None
                place.profile = None
                place.profile = _load(*key, named_by)
                log.event(f"loaded profile `{key[1]}` of `{key[0]}`{' again' if again else ''}")
            return place.profile


def _load(config: str, profile: str, user_file: str, variable: str) -> Profile:
    """Load the profile. If the files keep changing, the last version read is used."""
    for _ in range(LOAD_LIMIT):
        stamp = project.stamp(config, user_file)
        loaded = load.load(config, profile, user_file, variable)
        if project.stamp(config, user_file) == stamp:
            break
    return Profile(loaded, stamp)
