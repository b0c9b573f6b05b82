"""Runs browser.sh with a given shell."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rdo.remote_sh.template import load, quote
from tests.unit.remote_sh.shells import SHELLS, TIMEOUT

URL = "https://example.com/a b?c='d'&e=$(f)`g`\\;#\u00e9%20"


class BrowserScript:
    """A running browser.sh."""

    def __init__(self, process: subprocess.Popen[bytes], top: Path) -> None:
        self.process = process
        self.top = top

    def environment(self, word: str = "secret") -> dict[str, str]:
        path = f"{self.top}/bin:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "RDO_BROWSER": word, "LC_ALL": "C.UTF-8"}

    @contextmanager
    def open(self, *words: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
        environment = {**self.environment(), **variables}
        with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE) as program:
            try:
                yield program
            finally:
                program.kill()

    def next(self) -> tuple[int, str]:
        """The number of the program that waits, and the rest of its line."""
        assert self.process.stdout
        while (line := self.process.stdout.readline()) == b"\n":
            pass
        number, _, rest = line.rstrip(b"\n").decode().partition(" ")
        return int(number), rest

    def answer(self, number: int, status: int) -> None:
        assert self.process.stdin
        self.process.stdin.write(b"%d %d\n" % (number, status))
        self.process.stdin.flush()


def text(shell: str, directory: Path) -> list[str]:
    """The command that runs browser.sh with the shell, which is also the programs' /bin/sh."""
    sh = directory / "sh"
    if not sh.exists():
        sh.symlink_to(str(shutil.which(SHELLS[shell].split()[0])))
    script = load("browser", PROGRAM=quote(load("open_url")))
    return [str(sh), "-c", script.replace("#!/bin/sh", f"#!{sh}")]


@contextmanager
def held(shell: str, directory: Path, **variables: str) -> Iterator[BrowserScript]:
    environment = {**os.environ, "TMPDIR": str(directory), **variables}
    with subprocess.Popen(
        text(shell, directory), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
    ) as process:
        assert process.stdout
        top = Path(process.stdout.readline().decode().rstrip("\n"))
        try:
            yield BrowserScript(process, top)
            assert process.stdin
            process.stdin.close()
            process.wait(TIMEOUT)
            assert not top.exists()
        finally:
            process.kill()


def is_read(fifo: Path) -> bool:
    """Whether somebody has opened it for reading, so that nothing written to it is lost."""
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:  # ENXIO
        return False
    return True
