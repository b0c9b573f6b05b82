"""Checks that both clients send the same request, byte for byte, for any command line, place, and terminal."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import termios
from collections.abc import Callable, Mapping
from pathlib import Path
from pwd import getpwuid

import pytest

from rdo.client import argv
from rdo.errors import RdoError
from tests.e2e.project import Project
from tests.native.clients import NATIVE, PYTHON, Caller, Seen, both, fields
from tests.soak import tries

WORDS = [
    "true", "", "echo|a b||\n'$*", "-t|tty", "-T|x", "-n|x", "-s|x", "--sudo|x", "--no-map|x", "-m|x", "--map-output|x",
    "--no-map-output|x", "-v|x", "--fallback|x", "-p|up|x", "-pup|x", "--profile=up|x", "--profile|up|x", "-tsv|x",
    "-nvp|up|x", "-e|A=1|-e|B|-e|HOME|--env=C=x=y|x", "-eA=1|x", "-e|HOME|x", "--dir|/x|y", "--dir=~/a b|y",
    "-u|me|x", "-ume|x", "--user=a:b|x", "-c|echo $1|a|b", "-cecho|x", "-tc|echo", "-sc|x y", "-nc|echo|a",
    "-nTc|a", "-ec|x", "-euo|pipefail|-c|x", "-euo|pipefail|-c|x|y", "-o|errexit|-c|x", "+e|-c|x", "-xc|a",
    "-x|-e|-c|a", "-c|--|a", "-c|-x|a", "-p|-c|a", "-pc|a", "-C|-c|a", "-Cc|a", "-Ce|-c|a", "-lc|a", "-ic|a", "-l|-c|a",
    "-vc|a",
    "-vxc|a", "-tvc|a", "-mc|a", "-v|-c|a", "-e|-c|a", "-e|-u|-c|a", "-s|-c|a", "-T|-c|a", "-h|-c|a",
    "-hc|a", "--|true", "--|-x", "-|x", "-t|--|x", "+|x", "x|-p|y", "-C|src|x", "-C|src|-C|..|x", "-C||x",
    "-C|.|x", "-C|/|-C|{local}/src|x", "-C|src//./|x", "--project|.|x", "--project={local}|x",
    "-C|/|--project|{local}|x", "--project|{local}/src/..|x", "-c|", "-euxo|pipefail|-c|x", "-O|extglob|-c|x", "-tnc|x",
    "-cx|y|z", "-xcf|a|b", "--env|Z|x", "-e|_1=|x", "--no-sync|x", "--sync-only", "-L|8000|x",
    "-L8000:db:80|-R|4000|-tL1|x", "-R[::1]:1:x:2|x",
]  # fmt: skip
"""Command lines, with their words separated by bars."""

WRONG = [
    "--bogus",
    "-Z",
    "-c",
    "-p",
    "-e|1=x|y",
    "-p||x",
    "--sudo=1|x",
    "--help",
    "-h",
    "--version",
    "-e||x",
    "-tZ|x",
    "-o|a b|-c|x",
    "--no-sync=1|x",
    "-L||x",
    "-R",
    "-euü|x",
    "-eÜ|x",
]
"""Command lines that are left to the Python client."""


def same(seen: tuple[Seen, Seen], env: Mapping[str, str] | Mapping[bytes, bytes]) -> None:
    python, native = seen
    assert native.program in ("", NATIVE[0]), "it was handed over"
    assert fields(native.request, env) == fields(python.request, env)
    assert (native.status, native.stdout) == (python.status, python.stdout)


@pytest.mark.parametrize("line", WORDS)
def test_for_each_command_line(project: Project, line: str) -> None:
    words = [word.replace("{local}", str(project.local)) for word in line.split("|")] if line else []
    same(both(Caller(words, str(project.local), project.environment)), project.environment)


@pytest.mark.parametrize("line", WRONG)
def test_usage_errors_and_help_are_the_same_and_send_nothing(project: Project, line: str) -> None:
    def run(client: tuple[str, ...]) -> tuple[int, bytes, bytes]:
        done = subprocess.run(
            [*client, *line.split("|")], cwd=project.local, env=project.environment, capture_output=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    assert run(NATIVE) == run(PYTHON)
    assert not list(Path(project.environment["XDG_RUNTIME_DIR"]).iterdir())


LETTERS = "-+ctTnsmvpeCuhoxOlZ=N LR"


def test_for_random_command_lines(project: Project) -> None:
    """Compares those that both regard as valid. The others are left to the Python client in any case."""
    chosen = random.Random(7)
    for _ in range(tries(40, 4000)):
        words = [
            "".join(chosen.choices("-+", (8, 1))) + "".join(chosen.choices(LETTERS, k=chosen.randrange(5)))
            for _ in range(chosen.randrange(1, 4))
        ]
        words += ["x"]
        caller = Caller(words, str(project.local), project.environment)
        try:
            parsed = argv.parse(words)
        except RdoError:
            continue
        if parsed.help or parsed.version or parsed.profile or parsed.directory or "-n" in parsed.shell_options:
            continue
        same(both(caller), project.environment)


ENVIRONMENTS: dict[str, Mapping[str, str]] = {
    "as it is": {},
    "profile": {"RDO_PROFILE": "up"},
    "the first rdo's": {"RDO_ENV": "up"},
    "empty profile": {"RDO_PROFILE": "", "RDO_ENV": "x"},
    "inside": {"RDO_INSIDE": "/elsewhere"},
    "no term": {"TERM": ""},
    "relative": {"VAGRANT_HOME": "v", "SSH_AUTH_SOCK": "a/b", "DOCKER_CONFIG": "~/x", "DOCKER_HOST": "unix://s"},
    "engine": {"DOCKER_HOST": "unix:///s", "DOCKER_TLS": "1", "DOCKER_CONTEXT": ""},
    "odd pwd": {"PWD": "/tmp/../tmp"},
    "wrong pwd": {"PWD": "/"},
    "no pwd": {"PWD": ""},
    "config home": {"XDG_CONFIG_HOME": "rel"},
    "words": {"A": "x y\n", "B": "", "_": "=", "é": "ü", "LC_CTYPE": "C.UTF-8"},
}


@pytest.mark.parametrize("given", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
@pytest.mark.parametrize("cwd", [".", "src"])
def test_for_each_environment(project: Project, given: Mapping[str, str], cwd: str) -> None:
    env = {**project.environment, **given}
    same(both(Caller(["-e", "A", "x"], str(project.local / cwd), env)), env)


@pytest.mark.parametrize("given", [{"HOME": ""}, {}], ids=["empty", "unset"])
def test_a_caller_without_home_gets_that_of_the_user_database(project: Project, given: Mapping[str, str]) -> None:
    """The client in C leaves that to Python."""
    env = {name: value for name, value in project.environment.items() if name != "HOME"} | dict(given)
    python, native = both(Caller(["x"], str(project.local), env))
    assert fields(native.request, env) == fields(python.request, env)
    assert f"HOME={getpwuid(os.geteuid()).pw_dir}".encode() in native.request.split(b"\0")


def test_for_names_that_are_not_utf_8(project: Project) -> None:
    directory = os.fsencode(project.local) + b"/\xff\xc3\xa9 \xa4"
    os.mkdir(directory)
    env = {os.fsencode(name): os.fsencode(value) for name, value in project.environment.items()}
    env |= {b"PWD": directory, b"V\xff": b"\x80\xff", b"XDG_CONFIG_HOME": b"/\xfe"}
    same(both(Caller([b"-e", b"A=\xff", b"\xc3\x28", b"\x01\x7f"], directory, env)), env)


def test_for_variables_that_come_twice_or_have_no_name_or_no_value(project: Project) -> None:
    """As some callers pass them."""
    script = "import os, ctypes, sys\nlibc = ctypes.CDLL(None)\n" + ODD_EXECVE
    wrapper = [sys.executable, "-c", script]
    same(both(Caller(["-e", "A", "x"], str(project.local), project.environment, wrapper=wrapper)), project.environment)


ODD_EXECVE = """
env = [b"A=1", b"A=2", b"=x", b"novalue", b"B", b"B=3", b"A=1"]
env += [os.fsencode(f"{name}={value}") for name, value in os.environ.items()]
words = [os.fsencode(word) for word in sys.argv[1:]]
array = lambda items: (ctypes.c_char_p * (len(items) + 1))(*items, None)
libc.execve(words[0], array(words), array(env))
"""


def test_through_links(project: Project, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project.local)
    (project.local / "deep").mkdir()
    (project.local / "deep" / "out").symlink_to(tmp_path)
    (project.local / "src" / "src").mkdir()
    for pwd in ("link", "link/src", "link/deep/out/link/src", "link/deep/out/link"):
        env = {**project.environment, "PWD": str(tmp_path / pwd)}
        same(both(Caller(["x"], env["PWD"], env)), env)
        same(both(Caller(["-C", "..", "--dir", "/", "x"], env["PWD"] + "/src", env)), env)


def test_for_a_config_that_is_a_link_and_one_beside_it(project: Project, tmp_path: Path) -> None:
    config = project.local / ".rdo.conf"
    config.rename(tmp_path / "real.conf")
    config.symlink_to("../real.conf")
    (project.local / ".rdo.local.conf").write_text("")
    same(both(Caller(["x"], str(project.local / "src"), project.environment)), project.environment)


def keys(fd: int) -> None:
    modes = termios.tcgetattr(fd)
    modes[0] ^= termios.IXON | termios.ISTRIP
    modes[3] ^= termios.ECHOCTL | termios.TOSTOP
    modes[6][termios.VINTR], modes[6][termios.VEOL], modes[6][termios.VKILL] = b"\x18", b"\x80", b"\xff"
    modes[6][termios.VSUSP] = b"\0"
    termios.tcsetattr(fd, termios.TCSANOW, modes)


def raw(fd: int) -> None:
    modes = termios.tcgetattr(fd)
    modes[3] &= ~termios.ICANON
    termios.tcsetattr(fd, termios.TCSANOW, modes)


@pytest.mark.parametrize("terminals", ["012", "01", "12", "02", "0", "2"])
@pytest.mark.parametrize("words", [["x"], ["-t", "x"], ["-n", "x"], ["-T", "x"], ["-tn", "x"]])
def test_on_each_terminal(project: Project, words: list[str], terminals: str) -> None:
    same(both(Caller(words, str(project.local), project.environment, terminals)), project.environment)


@pytest.mark.parametrize("modes", [keys, raw])
@pytest.mark.parametrize("words", [["x"], ["-t", "x"]])
def test_on_a_terminal_of_any_modes(project: Project, words: list[str], modes: Callable[[int], None]) -> None:
    for terminals in ("012", "0"):
        caller = Caller(words, str(project.local), project.environment, terminals, modes=modes)
        same(both(caller), project.environment)


@pytest.mark.parametrize(
    "flags", ["-j", "-j1", "-j8", "w --jobserver-auth=3,4", "k -- A=-j8", "", "-j1 -j2", "x\x1c-j4"]
)
@pytest.mark.parametrize("wrapper", [["sh", "-c", '"$@"; exit $?', "sh"], []])
def test_in_a_recipe_of_make(project: Project, wrapper: list[str], flags: str) -> None:
    env = {**project.environment, "MAKEFLAGS": flags}
    same(both(Caller(["x"], str(project.local), env, "012", wrapper=wrapper)), env)


@pytest.mark.parametrize("stdin", ["/dev/null", "/dev/zero", "/etc/passwd"])
def test_for_each_kind_of_input(project: Project, stdin: str) -> None:
    with open(stdin, "rb") as file:
        same(both(Caller(["x"], str(project.local), project.environment, stdin=file.fileno())), project.environment)
