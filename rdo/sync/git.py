"""Asks git which files of a directory it tracks, and which it ignores.

A repository's own config can name programs. None of them is run: git is only asked for what needs no hook, no filter
and no file system monitor. It runs with the caller's PATH and home directory, but without the caller's GIT_ variables.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rdo.errors import RdoError, reason
from rdo.fscodec import fsdecode, fsencode
from rdo.util.caller_program import run_for_caller
from rdo.util.lines import split_lines

TIMEOUT = 120
"""Seconds. A repository of a million files on a slow disk takes less."""

ENVIRONMENT = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR")

OPTIONS = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")

NOT_THERE = "not a git repository"
UNTRUSTED = "dubious ownership"

Stamp = tuple[object, ...]


class GitFailed(RdoError):
    """git cannot say which files belong to a project."""


class Git:
    """Runs git for a caller."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {name: environment[name] for name in ENVIRONMENT if name in environment}
        self._environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}

    def ask(self, directory: bytes, *words: str, given: bytes = b"", silent: Sequence[int] = ()) -> bytes | None:
        """The output of git in a directory; None if it exits with one of the statuses `silent`. Raises GitFailed."""
        command = ["git", "-C", fsdecode(directory), *OPTIONS, *words]
        try:
            result = run_for_caller(command, self._environment | {"PWD": "/"}, TIMEOUT, given=given)
        except FileNotFoundError as error:
            raise _failed(directory, "`git` is not installed", "install it, or use `rdo --no-sync`") from error
        except (OSError, ValueError) as error:
            raise _failed(directory, reason(error)) from error
        if result.returncode in silent:
            return None
        if result.returncode:
            raise _git_failed(directory, result.stderr)
        return bytes(result.stdout)

    def names(self, directory: bytes, *words: str) -> set[bytes]:
        """The NUL-separated paths that git prints. Raises GitFailed."""
        return set((self.ask(directory, *words) or b"").split(b"\0")) - {b""}

    def home_files(self) -> list[bytes]:
        """The config files of the user and of the machine."""
        home = self._environment.get("HOME", "")
        own = self._environment.get("XDG_CONFIG_HOME") or f"{home}/.config"
        return [b"/etc/gitconfig", *map(fsencode, (f"{home}/.gitconfig", f"{own}/git/config", f"{own}/git/ignore"))]


class Repository(NamedTuple):
    """The part of a git repository that is below one directory."""

    git: Git
    directory: bytes
    """Absolute; other paths are relative to it."""
    index_file: bytes
    rules: tuple[bytes, ...]
    """Files outside the directory that influence what is ignored."""

    def tracked(self) -> set[bytes]:
        """All paths in the index; a submodule is one path. Raises GitFailed."""
        return self.git.names(self.directory, "ls-files", "-z", "--cached")

    def forced(self) -> set[bytes]:
        """The paths in the index that would otherwise be ignored. Raises GitFailed."""
        return self.git.names(self.directory, "ls-files", "-z", "--cached", "--ignored", "--exclude-standard")

    def ignored(self, paths: Sequence[bytes]) -> list[bool]:
        """Whether each of the paths is ignored, regardless of whether it is tracked. Raises GitFailed."""
        if not paths:
            return []
        given = b"".join(b"./%b\0" % path for path in paths)  # git interprets a `:` at the start of a path
        words = ("check-ignore", "--no-index", "--stdin", "-z", "--verbose", "--non-matching")
        output = self.git.ask(self.directory, *words, given=given, silent=(1,))
        fields = output.split(b"\0")[:-1] if output is not None else []
        patterns = fields[2::4]
        if output is not None and len(patterns) != len(paths):
            raise _failed(self.directory, "git gave no answer for some files", "try again")
        return [bool(pattern) and not pattern.startswith(b"!") for pattern in patterns or [b""] * len(paths)]

    def stamp(self) -> Stamp:
        """A value that stays the same while the rules for what is ignored are in the same, unchanged files."""
        return tuple(file_stamp(path) for path in self.rules)


def repository_of(git: Git, directory: bytes) -> Repository | None:
    """The repository that contains a directory; None if neither the directory nor a parent has a `.git`. Raises
    GitFailed."""
    if not any(file_stamp(place) for place in places(directory)):
        return None
    above, _, git_directory = (git.ask(directory, "rev-parse", "--show-cdup", "--absolute-git-dir") or b"").partition(
        b"\n"
    )
    git_directory = git_directory.removesuffix(b"\n")
    if not git_directory.startswith(b"/"):
        raise _failed(directory, "this version of git is too old", "install git 2.13 or later")
    found = Repository(git, directory, git_directory + b"/index", _rules(git, directory, above, git_directory))
    return None if above and _is_foreign(found, above) else found


def nested_repository(git: Git, directory: bytes) -> Repository | None:
    """The repository in a directory that has a `.git`; None if git does not accept it as one."""
    try:
        above = git.ask(directory, "rev-parse", "--show-cdup")
    except GitFailed as error:
        if UNTRUSTED in error.why or error.__cause__:
            raise
        return None
    return repository_of(git, directory) if above == b"\n" else None


def places(directory: bytes) -> list[bytes]:
    """Where the `.git` for a directory may be: in it and its parents, up to the border of its file system."""
    found = []
    device = _device(directory)
    while _device(directory) == device:
        found.append(os.path.join(directory, b".git"))
        if directory == os.path.dirname(directory):
            break
        directory = os.path.dirname(directory)
    return found


def file_stamp(path: bytes) -> tuple[int, ...] | None:
    """A value that stays the same while a file is unchanged, or a directory is the same one; None if nothing exists
    there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    same = (found.st_dev, found.st_ino)
    return same if stat.S_ISDIR(found.st_mode) else (*same, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _device(directory: bytes) -> int:
    try:
        return os.stat(directory).st_dev
    except OSError:
        return -1


def _rules(git: Git, directory: bytes, above: bytes, git_directory: bytes) -> tuple[bytes, ...]:
    common = git_directory
    if os.path.basename(os.path.dirname(git_directory)) == b"worktrees":
        common = os.path.dirname(os.path.dirname(git_directory))
    files = [common + b"/info/exclude", common + b"/config", git_directory + b"/config.worktree", *git.home_files()]
    files += _settings(git, directory, above)
    for _ in range(above.count(b"../")):
        directory = os.path.dirname(directory)
        files.append(directory + b"/.gitignore")
    return tuple(dict.fromkeys(files))


def _settings(git: Git, directory: bytes, above: bytes) -> list[bytes]:
    """The config files that git reads, of which some may include others, and the file of ignored names they set."""
    listed = (git.ask(directory, "config", "--list", "--show-origin", "-z") or b"").split(b"\0")
    origins, settings = listed[:-1:2], listed[1::2]
    files = [
        os.path.normpath(os.path.join(directory, above, origin.removeprefix(b"file:")))
        for origin in dict.fromkeys(origins)
        if origin.startswith(b"file:")
    ]
    if any(setting.startswith(b"core.excludesfile\n") for setting in settings):
        own = git.ask(directory, "config", "--path", "--get", "core.excludesFile", silent=(1,)) or b""
        files += [own.removesuffix(b"\n")] if own.strip() else []
    return files


def _is_foreign(repository: Repository, above: bytes) -> bool:
    """Whether a repository above ignores the whole directory, and so is not the project's."""
    top = os.path.normpath(os.path.join(repository.directory, above))
    outer = repository._replace(directory=top)
    return outer.ignored([os.path.relpath(repository.directory, top)]) == [True] and not repository.tracked()


def _failed(directory: bytes, why: str, hint: str = "") -> GitFailed:
    return GitFailed(f"cannot ask git which files of `{fsdecode(directory)}` to copy", why, hint)


def _git_failed(directory: bytes, stderr: bytes) -> GitFailed:
    """The error, with git's message."""
    complaint = stderr.decode("utf-8", "replace").strip()
    if UNTRUSTED in complaint:
        hint = f"run `git config --global --add safe.directory {fsdecode(directory)}` if you trust it"
        return _failed(directory, "git does not trust it, since it belongs to another user", hint)
    complaints = [line for line in split_lines(complaint) if line.startswith(("fatal: ", "error: "))]
    lines = [line.removeprefix("fatal: ") for line in complaints]
    why = lines[-1] if lines else complaint.rpartition("\n")[2] or "git failed"
    hint = "repair `.git`, or remove it if it is not needed" if NOT_THERE in why else "see what `git status` says"
    return _failed(directory, why, hint)
