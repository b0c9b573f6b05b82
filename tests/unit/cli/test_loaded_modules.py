"""What the commands of `rdoctl` load that people and shells call often, seen from inside a fresh interpreter.

An interpreter starts in 20 ms, and such a command has twice as long for all it does. click alone takes 35 of that.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[3]

BOUND = 30.0
"""Seconds for an interpreter to start and end on a machine busy with something else."""

PROGRAM = """
import sys
sys.path.append({top!r})
from rdo.cli.main import run
status = run({words!r})
print(*sys.modules, file=sys.stderr)
sys.exit(status)
"""

BASE = {
    "collections", "contextlib", "copyreg", "enum", "functools", "importlib", "itertools", "keyword", "operator", "re",
    "reprlib", "types", "typing", "warnings",
}  # fmt: skip
"""What `typing` and `re` load."""

CONFIG = {"errno", "unicodedata"}

SOCKETS = {"array", "errno", "fcntl", "json", "math", "select", "selectors", "socket", "struct"}

PROCESSES = {"locale", "signal", "subprocess", "threading"}

FILES = {
    "linecache", "token", "tokenize",
    "datetime", "fnmatch", "grp", "hashlib", "pwd", "shlex", "string", "termios", "textwrap", "tomllib", "tomli",
    "traceback",
}  # fmt: skip

COMMANDS = {
    "completion bash": {"encodings"},
    "completion --profiles": BASE | CONFIG,
    "status": BASE | SOCKETS | {"signal"},
    "stop": BASE | SOCKETS | {"signal"},
    "explain true": BASE | CONFIG | SOCKETS | PROCESSES | FILES | {"encodings"},
    "__complete st": set(),
}
"""The modules that each may load, besides those of rdo. None is of a package that rdo depends on."""

NEVER = {
    "status": {"rdo.cli.stop", "rdo.config", "rdo.drivers", "rdo.cli.status_table"},
    "completion bash": {"rdo.config", "rdo.drivers", "rdo.ipc"},
    "explain true": {
        "rdo.cli.doctor",
        "rdo.cli.init",
        "rdo.drivers.docker",
        "rdo.drivers.vagrant",
        "rdo.drivers.ssh.transport",
        "rdo.master",
        "rdo.pool",
    },
}
"""Modules of rdo itself that would not belong to them."""


def loaded(program: str, project: Path) -> frozenset[str]:
    environment = {**os.environ, "RDO_TRUST": "1", "XDG_RUNTIME_DIR": str(project / "run"), "HOME": str(project)}
    argv = [sys.executable, "-I", "-c", program]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, timeout=BOUND, cwd=project, env=environment
    )
    assert done.returncode == 0, done.stderr
    return frozenset(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_that_is_called_often_loads_little(tmp_path: Path, line: str) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / ".rdo.conf").write_text('host = "nowhere.invalid"\ndirectory = "/x"\n')
    bare = loaded("import sys; print(*sys.modules, file=sys.stderr)", tmp_path)
    modules = loaded(PROGRAM.format(top=str(TOP), words=line.split()), tmp_path) - bare
    foreign = {name.partition(".")[0] for name in modules if not name.startswith(("_", "rdo"))}
    assert foreign - COMMANDS[line] - {"invoke"} == set()  # which is kept from being loaded
    assert modules & NEVER.get(line, set()) == set()
