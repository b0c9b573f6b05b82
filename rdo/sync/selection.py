"""Decides which local files belong to this side: what git would track and `include` names, except what `exclude` or
`pull` names.

This is decided one path component at a time, from the root down: what does not belong is not entered. Files that git
tracks need no question, and git is asked for all others of a level at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from rdo.errors import ConfigError
from rdo.fscodec import fsdecode
from rdo.sync.git import Git, Stamp, file_stamp, nested_repository, places, repository_of
from rdo.sync.known_repository import KnownRepository
from rdo.sync.patterns import Patterns
from rdo.sync.rules import SyncRules

OWN_DIRECTORY = b".rdo-sync"
"""rdo's own directory at the root, on either side. The names of a watcher's cookies begin like this, too."""


class How(Enum):
    """How much of a directory's contents belongs to this side."""

    ALL = "all"
    GIT = "what git would track"
    SOME = "what git ignores but tracks all the same, and what `include` names"


class Claim(NamedTuple):
    """What of a directory belongs to this side."""

    how: How
    repository: KnownRepository | None = None


class Candidate(NamedTuple):
    """A path whose owner is to be determined, in a directory whose claim is known."""

    path: bytes
    is_directory: bool
    parent: Claim


class Selection:
    """The rules of one project, together with what git reports."""

    def __init__(self, root: bytes, rules: SyncRules) -> None:
        self._root = root
        self._sync_git = rules.sync_git
        self._include = Patterns(rules.include)
        self._exclude = Patterns(rules.exclude)
        self._pull = Patterns(rules.pull)
        self._repositories: list[KnownRepository] = []
        self._stamp: Stamp = ()
        self.environment: Mapping[str, str] = {}
        """The environment of the caller for whom git runs."""

    def begin(self) -> Claim:
        """Begin a full scan, and return the claim on the root. Raises RdoError."""
        self._repositories.clear()
        self._stamp = self._above()  # before git is asked, so that later changes are noticed
        found = repository_of(Git(self.environment), self._root)
        if found is None:
            return Claim(How.ALL)
        self._stamp += (found.stamp(),)
        return Claim(How.GIT, self._add(KnownRepository(found, b"")))

    def end(self) -> None:
        """End a full scan."""
        for known in self._repositories:
            known.looked_at()

    def is_outdated(self) -> bool:
        """Whether other files may belong, since files outside the project, or git's index, have changed. Raises
        RdoError."""
        now = (*self._above(), *(known.repository.stamp() for known in self._repositories))
        return now != self._stamp or any([self._tracks_other(known) for known in self._repositories])

    def _above(self) -> Stamp:
        return tuple(map(file_stamp, places(self._root)))

    def _tracks_other(self, known: KnownRepository) -> bool:
        if not known.index_changed():
            return False
        git = Git(self.environment)
        if self._pull:
            self._check(known.prefix, known.repository._replace(git=git).tracked())
        return known.tracks_other(git)

    def _add(self, known: KnownRepository) -> KnownRepository:
        self._check(known.prefix, known.tracked)
        self._repositories.append(known)
        return known

    def _check(self, prefix: bytes, tracked: Iterable[bytes]) -> None:
        """Raise ConfigError if the config assigns files to the target that git tracks here."""
        if not self._pull:
            return
        for path in sorted(prefix + each for each in tracked):
            if self._pull.matches(path) and not self._exclude.matches(path):
                hint = "narrow `pull`, or take the file out of git with `git rm --cached`"
                raise _claimed_twice(path, "git tracks it, so it is pushed, but `pull` names it", hint)

    def inside(self, path: bytes, claim: Claim, names: Collection[bytes]) -> Claim:
        """The claim on the contents of a directory, which differs if a repository begins there. Raises RdoError."""
        if not path or claim.repository is None or claim.how is How.ALL or b".git" not in names:
            return claim
        found = nested_repository(Git(self.environment), self._root + b"/" + path)
        if found is None:
            return claim
        self._stamp += (found.stamp(),)
        self._repositories = [known for known in self._repositories if known.prefix != path + b"/"]
        return Claim(How.GIT, self._add(KnownRepository(found, path + b"/")))

    def decide(self, candidates: Sequence[Candidate]) -> list[Claim | None]:
        """The claim on each candidate, or None if it does not belong. Raises RdoError."""
        decided: list[Claim | None] = []
        asked: dict[KnownRepository, list[int]] = {}
        for number, candidate in enumerate(candidates):
            known = self._by_rules(candidate)
            if isinstance(known, KnownRepository):
                asked.setdefault(known, []).append(number)
                known = None
            decided.append(known)
        for repository, numbers in asked.items():
            answers = repository.ignored(Git(self.environment), [candidates[number].path for number in numbers])
            for number, ignored in zip(numbers, answers, strict=True):
                claim = Claim(How.GIT, repository)
                decided[number] = self._ignored(candidates[number], repository) if ignored else claim
        return decided

    def _by_rules(self, candidate: Candidate) -> Claim | KnownRepository | None:
        """The claim on a candidate, or the repository to ask about it."""
        path, is_directory, parent = candidate
        if path.rpartition(b"/")[2] == b".git":
            return Claim(How.ALL) if self._sync_git else None
        if path.endswith(b".lock") and b".git" in path.split(b"/"):
            return None  # git is at work here; there, the lock would wait for nobody
        if _is_own(path) or self._exclude.matches(path, is_directory):
            return None
        included = self._include.matches(path, is_directory)
        if self._pull.matches(path, is_directory):
            if included:
                raise _claimed_twice(path, "both `include` and `pull` name it", "remove it from one of them")
            return None
        if is_directory and not included and self._pull.covers_below(path) and not self._include.may_match_below(path):
            return None  # with all its contents, such as `dist` for `dist/**`
        if included or parent.how is How.ALL or parent.repository is None:
            return Claim(How.ALL)
        return self._by_git(candidate, parent.repository)

    def _by_git(self, candidate: Candidate, known: KnownRepository) -> Claim | KnownRepository | None:
        path, is_directory, parent = candidate
        if parent.how is How.SOME:
            return self._ignored(candidate, known)
        own = known.own(path)
        return parent if own in known.unignored or (own in known.tracked and not is_directory) else known

    def _ignored(self, candidate: Candidate, known: KnownRepository) -> Claim | None:
        """The claim on something that git ignores."""
        path = known.own(candidate.path)
        if path in known.forced:  # a file, or a submodule
            return Claim(How.GIT, known)
        leads = path in known.forced_directories or self._include.may_match_below(candidate.path)
        return Claim(How.SOME, known) if candidate.is_directory and leads else None


def _is_own(path: bytes) -> bool:
    """Whether rdo has put it there for its own use."""
    return path.startswith(OWN_DIRECTORY) and path[len(OWN_DIRECTORY) :][:1] in (b"", b"/", b"-")


def _claimed_twice(path: bytes, why: str, hint: str) -> ConfigError:
    return ConfigError(f"`{fsdecode(path)}` belongs to both sides", why, hint)
