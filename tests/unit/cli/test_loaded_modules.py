"""Tests for which modules are loaded by the commands of `rdoctl` that people and shells run often.

They are checked in a fresh interpreter. An interpreter starts in 20 ms, and such a command may take twice as long in
all. click alone takes 35 ms.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[3]

TIMEOUT = 30.0
"""Seconds for an interpreter to start and end on a busy machine."""

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
    "reprlib", "sre_compile", "sre_constants", "sre_parse", "types", "typing", "warnings", "gc",
}  # fmt: skip
"""What `typing` and `re` load, and what is part of the interpreter anyway."""

PROJECT = {"collections", "gc", "itertools", "keyword", "operator", "reprlib"}
"""What `collections.abc` loads."""

CONFIG = {"errno", "unicodedata"}

SOCKETS = {"array", "errno", "fcntl", "json", "math", "select", "selectors", "socket", "struct"}

FILES = {"fnmatch", "grp", "pwd", "shlex", "termios"}

TOML = {"datetime", "math", "string", "tomllib", "tomli"}

ENGINE = {"ipaddress", "threading", "urllib"}

PLAN = BASE | CONFIG | FILES | {"encodings", "fcntl", "json"}

COMMANDS = {
    "completion bash": PROJECT | {"encodings"},
    "completion --profiles": BASE | CONFIG,
    "status": BASE | SOCKETS | {"signal"},
    "stop": BASE | SOCKETS | {"signal"},
    "stop --all": BASE | SOCKETS | ENGINE | {"signal"},
    "log": BASE | {"errno"},
    "ports": BASE | SOCKETS | {"signal"},
    "explain true": PLAN,
    "__complete st": PROJECT,
    "__complete stop --": BASE | SOCKETS | {"signal"},
    "__complete explain -p ": PLAN,
}
"""The modules that each command may load in addition to those of rdo. None is from a package that rdo depends on."""

PLAIN = 'driver = "local"\n'

CONFIGS = {
    "ssh": ('driver = "ssh"\nhost = "nowhere.invalid"\ndirectory = "/x"\n', {"select", "struct"}, "ssh"),
    "docker": ('driver = "docker"\ncontainer = "c"\ndirectory = "/x"\n', ENGINE, "docker"),
    "image": ('driver = "docker"\nimage = "debian"\n', ENGINE, "docker"),
    "build": ('driver = "docker"\nbuild = "."\n', ENGINE, "docker"),
    "vagrant": ('driver = "vagrant"\n', set(), "vagrant"),
    "local": (PLAIN, set(), "local"),
    "toml": ("driver = 'local'\n", TOML, "local"),
    "ini": ("driver = local\n", TOML, "local"),
}
"""For each driver, a `.rdo.conf`, the modules that `explain` may load for it, and the only driver whose modules it may.
"""

NEVER = {
    "status": ("rdo.cli.stop", "rdo.config", "rdo.drivers", "rdo.cli.status_table"),
    "completion bash": ("rdo.config", "rdo.drivers", "rdo.ipc"),
    "stop --all": ("rdo.config", "rdo.remote_sh", "rdo.drivers.ssh", "rdo.drivers.docker.driver"),
}
"""Modules and packages of rdo itself that these commands must not load."""

CONNECTING = (
    "rdo.drivers.base",
    "rdo.drivers.docker.engine",
    "rdo.drivers.docker.target",
    "rdo.drivers.local.target",
    "rdo.drivers.ssh.dial",
    "rdo.drivers.ssh.target",
    "rdo.drivers.vagrant.connect",
    "rdo.master",
    "rdo.pool",
    "rdo.remote_sh.render",
    "rdo.trust.prompt",
)
"""What is needed only for a connection or a prompt, but not for a plan."""

MOST = 125
"""The largest number of modules that `explain` may load, including Python's own: 120 with ssh, and fewer otherwise."""


def loaded(program: str, project: Path) -> frozenset[str]:
    environment = {**os.environ, "RDO_TRUST": "1", "HOME": str(project)}
    argv = [sys.executable, "-I", "-c", program]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, timeout=TIMEOUT, cwd=project, env=environment
    )
    assert done.returncode == 0, done.stderr
    return frozenset(done.stderr.splitlines()[-1].split())


def are_within(modules: frozenset[str], packages: tuple[str, ...]) -> set[str]:
    return {name for name in modules if any(f"{name}.".startswith(f"{package}.") for package in packages)}


def foreign(modules: frozenset[str]) -> set[str]:
    """Those that belong neither to rdo nor to the interpreter."""
    return {name.partition(".")[0] for name in modules if not name.startswith(("_", "rdo"))} - {"invoke"}


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = runtime["XDG_RUNTIME_DIR"]
    monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
    Path(directory, "rdo").mkdir(0o700)
    Path(directory, "rdo", "control.log").touch()
    (tmp_path / ".rdo.conf").write_text(PLAIN)
    (tmp_path / "Dockerfile").touch()
    (tmp_path / "Vagrantfile").touch()
    return tmp_path


def added(project: Path, line: str) -> frozenset[str]:
    """The modules that a command line of `rdoctl` loads in addition to those of a bare interpreter."""
    bare = loaded("import sys; print(*sys.modules, file=sys.stderr)", project)
    return loaded(PROGRAM.format(top=str(TOP), words=line.split(" ")), project) - bare


COMPILED = """
import sys, typing
compiled = set()
def note(self, *words, **more):
    frame = sys._getframe()
    while frame.f_globals["__name__"] in (__name__, "typing", "annotationlib"):
        frame = frame.f_back
    compiled.add(frame.f_globals["__name__"])
    make(self, *words, **more)
make, typing.ForwardRef.__init__ = typing.ForwardRef.__init__, note
"""
"""Records which modules have an annotation compiled: `typing` does that with each NamedTuple field that is a string, as
with `from __future__ import annotations`.
"""


def test_explain_compiles_no_annotation(project: Path) -> None:
    (project / ".rdo.conf").write_text(CONFIGS["ssh"][0])
    program = PROGRAM.replace("*sys.modules", "*compiled")
    found = loaded(COMPILED + program.format(top=str(TOP), words=["explain", "make", "test"]), project)
    assert {name for name in found if name.startswith("rdo")} == set()


@pytest.mark.parametrize("line", COMMANDS)
def test_a_frequent_command_loads_few_modules(project: Path, line: str) -> None:
    modules = added(project, line)
    assert foreign(modules) - COMMANDS[line] == set()  # "invoke" is prevented from loading
    assert are_within(modules, NEVER.get(line, ())) == set()


@pytest.mark.parametrize("kind", CONFIGS)
def test_explain_loads_nothing_that_only_a_connection_needs(project: Path, kind: str) -> None:
    config, more, driver = CONFIGS[kind]
    (project / ".rdo.conf").write_text(config)
    modules = added(project, "explain make test")
    others = {f"rdo.drivers.{name}" for name in ("docker", "local", "ssh", "vagrant")} - {f"rdo.drivers.{driver}"}
    assert foreign(modules) - PLAN - more == set()
    assert are_within(modules, (*CONNECTING, *others)) == set()
    assert len(modules) <= MOST
