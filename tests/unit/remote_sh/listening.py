"""Commands that listen, and the script that finds their ports."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack

from rdo.forward import listening_script
from rdo.forward.listening import ListeningPort, parse
from rdo.remote_sh.template import load
from tests.unit.remote_sh.shells import SHELLS, TIMEOUT

UNREADABLE = {"proc": "", "ss": "/proc/net/tcp", "lsof": "/proc/$$/stat"}
"""The file to make unreadable so that each method is used."""

PROGRAM = """
import os, socket, sys
name = sys.argv[1]
if name == "daemon":
    if os.fork():
        os.read(0, 1)
        os._exit(0)
    os.setsid()
if name == "named":
    open("/proc/self/comm", "w").write("a) S 1 1 1 1")
if name == "lines":
    open("/proc/self/comm", "w").write("a\\n1 (b) S 0 1 1")
s = socket.socket(socket.AF_INET6 if sys.argv[2] == "::1" else socket.AF_INET)
s.bind((sys.argv[2], 0))
s.listen()
print(s.getsockname()[1], flush=True)
os.read(0, 1)
"""


class Command:
    """A command that listens, in its own session. `shell` is the process ID that rdo's shell would have."""

    def __init__(self, stack: ExitStack, *words: str, through: str = "exec", sh: str = "/bin/sh") -> None:
        line = {"exec": 'exec "$@"', "child": '"$@"; :', "session": 'setsid "$@"; :'}[through]
        argv = [sh, "-c", line, "sh", sys.executable, "-c", PROGRAM, *words]
        pipe = subprocess.PIPE
        self.process = stack.enter_context(subprocess.Popen(argv, stdin=pipe, stdout=pipe, start_new_session=True))
        stack.callback(self.end)
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())
        self.shell = self.process.pid

    def end(self) -> None:
        """End all its processes."""
        assert self.process.stdin
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.wait(TIMEOUT)


class Watch:
    """The script, run by a shell."""

    def __init__(self, shell: str = "dash", way: str = "proc", path: str = "", user: int | None = None) -> None:
        text = listening_script.SCRIPT
        if UNREADABLE[way]:
            text = text.replace(UNREADABLE[way], "/nowhere", 1)
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [*SHELLS[shell].split(), "-c", f"{load('newline')}; {text}"],
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            user=user,
            env={**os.environ, "PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]},
        )
        self.way = self._line()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.communicate(timeout=TIMEOUT) == (b"", b"")
        assert self.process.returncode == 0

    def ask(self, *shells: int, thorough: bool = False) -> list[ListeningPort] | None:
        """Its report about these commands; None if nothing has changed."""
        assert self.process.stdin
        words = ["+"] if thorough else []
        self.process.stdin.write(" ".join([*words, *map(str, shells)]).encode() + b"\n")
        self.process.stdin.flush()
        answer = list(iter(self._line, listening_script.END))
        assert not answer or answer[0] == listening_script.CHANGED
        return parse(answer[1:]) if answer else None

    def _line(self) -> bytes:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.process.stderr and self.process.stderr.read()
        return line.removesuffix(b"\n")
