"""Checks that both clients send the same request in any directory, and with any streams and window."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project
from tests.native.clients import Caller, both
from tests.native.test_request import same

NAMES = [
    "a b",
    "new\nline",
    "tab\t",
    "-x",
    "'\"$(x)`",
    "ünï",
    ".hidden",
    "a" * 255,
    "~",
    "*",
    "\\",
    "a:b",
    "\x7f\x1b[m",
]


@pytest.mark.parametrize("name", NAMES)
def test_in_a_directory_of_any_name(project: Project, name: str) -> None:
    directory = project.local / name
    directory.mkdir()
    for pwd in (str(directory), "", "/"):
        env = {**project.environment, "PWD": pwd}
        same(both(Caller(["x"], str(directory), env)), env)
    same(both(Caller([f"-C{name}", "x"], str(project.local), project.environment)), project.environment)
    same(both(Caller(["-C", f"./{name}/..", "x"], str(project.local), project.environment)), project.environment)


@pytest.mark.parametrize("name", ["a b", "ünï", "-p", "x\ny"])
def test_in_a_project_of_any_name_within_another(project: Project, name: str) -> None:
    inner = project.local / name
    (inner / "deep").mkdir(parents=True)
    (inner / ".rdo.conf").write_text((project.local / ".rdo.conf").read_text())
    for words in (["x"], ["--project", "..", "x"], [f"--project={project.local}", "x"], ["-C", "..", "x"]):
        for cwd in (inner, inner / "deep"):
            same(both(Caller(words, str(cwd), project.environment)), project.environment)


def test_from_outside_of_the_project_that_is_named(project: Project, tmp_path: Path) -> None:
    link = tmp_path / "a link"
    link.symlink_to(project.local)
    names = (project.local, link, link / "src" / "..", f"{link}//.", os.path.relpath(project.local, "/usr"))
    for name in names:
        same(both(Caller([f"--project={name}", "x"], "/usr", project.environment)), project.environment)


def test_where_the_home_directory_is_the_project_or_within_it(project: Project) -> None:
    for home in (project.local, project.local / "src", project.local / "src" / "..", project.local / "gone"):
        env = {**project.environment, "HOME": str(home)}
        for words in (["x"], ["-e", "HOME", "x"]):
            same(both(Caller(words, str(project.local), env)), env)


WINDOWS = [(0, 0, 0, 0), (1, 1, 0, 0), (24, 80, 640, 384), (65535, 65535, 65535, 65535), (0, 80, 0, 0), (24, 0, 1, 0)]


@pytest.mark.parametrize("window", WINDOWS)
def test_for_each_size_of_the_window(project: Project, window: tuple[int, int, int, int]) -> None:
    def resize(fd: int) -> None:
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("4H", *window))

    for words in (["x"], ["-t", "x"]):
        caller = Caller(words, str(project.local), project.environment, "012", modes=resize)
        same(both(caller), project.environment)


@pytest.mark.parametrize("term", ["", "dumb", "xterm-256color", "a b\n", "\x7f", "x" * 300])
def test_for_each_kind_of_terminal(project: Project, term: str) -> None:
    env = {**project.environment, "TERM": term}
    for words in (["x"], ["-v", "x"], ["-T", "x"]):
        same(both(Caller(words, str(project.local), env, "012")), env)


@contextlib.contextmanager
def stdin(kind: str) -> Iterator[int]:
    """A stdin of that kind, at whose end there is no more data."""
    with contextlib.ExitStack() as stack:
        if kind == "pipe":
            reading, writing = os.pipe()
            os.close(writing)
        else:
            one, other = socket.socketpair()
            other.close()
            reading = one.detach()
        stack.callback(os.close, reading)
        yield reading


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_for_a_stdin_of_each_kind(project: Project, kind: str) -> None:
    for words in (["x"], ["-n", "x"]):
        with stdin(kind) as fd:  # at its end for either client
            same(both(Caller(words, str(project.local), project.environment, stdin=fd)), project.environment)
