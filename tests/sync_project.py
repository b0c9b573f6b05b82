"""A project of files for tests of sync: created, changed at random, and listed without any code of rdo."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from rdo.sync.local_tree import LocalTree
from rdo.sync.rules import SyncRules
from rdo.sync.watcher import Unwatchable, Watcher

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "HOME": "/nonexistent",
}

NAMES = [b"a", b"b", b"new\nline", b"not-\xff-utf8", b"-n", b"c.o", b"e.log", b":(x)", b"*", "\u00e9".encode()]
DIRECTORIES = [b"d", b"e", b"build", b"sub dir", b"\xfe"]
IGNORED = [b"*.o\n", b"build/\n", b"*.log\n!e.log\n", b"d/*\n!d/a\n", b"/e\n", b""]


def unwatched(root: bytes) -> Watcher:
    """Replaces a watcher."""
    raise Unwatchable("not in this test")


def git(directory: Path | bytes, *words: str | bytes) -> bytes:
    command = ["git", "-c", "user.name=a", "-c", "user.email=b", "-c", "init.defaultBranch=main", *words]
    return subprocess.run(command, cwd=directory, env=ENVIRONMENT, check=True, capture_output=True).stdout


def scanned(root: bytes, rules: SyncRules) -> dict[bytes, tuple[object, ...]]:
    """The contents of a tree that was just read as a whole, without what differs between two reads."""
    tree = LocalTree(os.fsdecode(root), rules, lambda _: None, start_watcher=unwatched).settle(ENVIRONMENT)
    return {path: entry[:-1] for path, entry in tree.items()}


class RandomChanges:
    """Random changes of different kinds to a directory."""

    def __init__(self, root: bytes, outside: bytes, seed: int) -> None:
        self.root = root
        self.outside = outside
        self.random = random.Random(seed)
        self.kinds: list[Callable[[], object]] = [
            *[self.write, self.write, self.write_again, self.write_again, self.make, self.make, self.rename],
            *[self.rename, self.rename_out, self.rename_in, self.delete, self.delete_tree, self.link, self.chmod],
            *[self.replace, self.touch, self.hard_link, self.write_elsewhere],
        ]
        self.git_kinds: list[Callable[[], object]] = [self.ignore, self.force, self.forget, self.nested]

    def some(self) -> None:
        """Make one change, if it is possible there."""
        kinds = self.kinds if self.random.random() < 0.95 or not os.path.isdir(self.root + b"/.git") else self.git_kinds
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            self.random.choice(kinds)()

    def path(self) -> bytes:
        names = [self.random.choice(DIRECTORIES) for _ in range(self.random.choice([0, 0, 1, 1, 2, 3]))]
        return b"/".join([self.root, *names, self.random.choice([*NAMES, *DIRECTORIES])])

    def write(self) -> None:
        with open(self.path(), "wb") as file:
            file.write(self.random.randbytes(self.random.choice([0, 1, 8])))

    def write_again(self) -> None:
        """Write a file with the same length, so that only its time shows that it was written."""
        path = self.path()
        size = os.stat(path).st_size
        with open(path, "r+b") as file:
            file.write(self.random.randbytes(size))

    def make(self) -> None:
        os.makedirs(self.path())

    def rename(self) -> None:
        os.rename(self.path(), self.path())

    def rename_out(self) -> None:
        os.rename(self.path(), self.outside + b"/" + self.random.choice(NAMES))

    def rename_in(self) -> None:
        os.rename(self.outside + b"/" + self.random.choice(NAMES), self.path())

    def delete(self) -> None:
        os.unlink(self.path())

    def delete_tree(self) -> None:
        shutil.rmtree(self.path())

    def link(self) -> None:
        os.symlink(self.random.choice([self.outside, b"a", b"nowhere", b"../d"]), self.path())

    def chmod(self) -> None:
        path = self.path()
        if not os.path.islink(path):
            os.chmod(path, self.random.choice([0o755, 0o700, 0o775]))

    def replace(self) -> None:
        """Replace a file as editors do, by renaming a new one over it."""
        path = self.path()
        with open(path + b"~", "wb") as file:
            file.write(self.random.randbytes(3))
        os.rename(path + b"~", path)

    def touch(self) -> None:
        """Write other contents, and restore the time that the file had before."""
        path = self.path()
        found = os.stat(path)
        with open(path, "r+b") as file:
            file.write(self.random.randbytes(found.st_size))
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))

    def hard_link(self) -> None:
        os.link(self.path(), self.path())

    def write_elsewhere(self) -> None:
        path = self.outside + b"/" + self.random.choice(NAMES)
        with open(path, "r+b") as file:
            file.write(self.random.randbytes(2))

    def ignore(self) -> None:
        directory = self.random.choice([self.root, os.path.dirname(self.path())])
        with open(directory + b"/.gitignore", "wb") as file:
            file.write(b"".join(self.random.sample(IGNORED, 2)))

    def force(self) -> None:
        git(self.root, "add", "-f", b"./" + self.path()[len(self.root) + 1 :])

    def forget(self) -> None:
        git(self.root, "rm", "-r", "-q", "--cached", b"./" + self.path()[len(self.root) + 1 :])

    def nested(self) -> None:
        path = self.path()
        if self.random.random() < 0.5:
            shutil.rmtree(path + b"/.git")
        else:
            git(path, "init", "-q")
