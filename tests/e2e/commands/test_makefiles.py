"""Tests for a local make with recipes that run on the target."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.project import Project, Result, local_project
from tests.e2e.terminal import Terminal
from tests.processes import is_there

PARALLEL = "".join(f"job{number} " for number in range(24))


def make(project: Project, makefile: str, arguments: str = "SHELL=rdo") -> Result:
    """Run make in the project's `src` with this Makefile, which the target does not have."""
    (project.local / "src" / "Makefile").write_text(makefile)
    return project.shell(f"cd src && exec make {arguments}")


def output(project: Project, makefile: str, arguments: str = "SHELL=rdo") -> list[str]:
    """The lines of its output. It has to succeed, with nothing on stderr."""
    done = make(project, makefile, arguments)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode().splitlines()


@pytest.mark.parametrize(
    ("head", "arguments"),
    [
        pytest.param("", "SHELL=rdo", id="on the command line"),
        pytest.param("SHELL := rdo\n", "", id="in the Makefile"),
        pytest.param("SHELL := rdo\n.SHELLFLAGS := bash -euo pipefail -c\n", "", id="bash"),
        pytest.param(".POSIX:\n", "SHELL=rdo", id="POSIX"),
        pytest.param("", "SHELL=rdo .SHELLFLAGS=-ec", id="-ec"),
        pytest.param("SHELL := rdo\n.SHELLFLAGS := -e STAGE=x -T -c\n", "", id="options of rdo"),
    ],
)
def test_recipes_run_in_the_matching_directory_of_the_target(project: Project, head: str, arguments: str) -> None:
    recipe = "\tpwd\n\t@echo \"$(here)\" '$$x' a\\ b | cat\n"
    lines = output(project, f"{head}here := $(shell pwd)\nall:\n{recipe}", arguments)
    there = str(project.remote / "src")
    assert lines == ["pwd", there, f"{there} $x a b"]


def test_sixteen_parallel_jobs_each_run_once_with_their_exit_status(project: Project) -> None:
    makefile = f"all: {PARALLEL}\njob%:\n\t@sleep 0.05; echo $@ >$@; test $@ != job7\n"
    done = make(project, makefile, "-k -j16 SHELL=rdo")
    assert done.returncode == 2
    assert re.findall(rb"\*\*\* .*?(job\d+)\] Error (\d+)", done.stderr) == [(b"job7", b"1")]
    assert sorted(os.listdir(project.remote / "src")) == sorted(PARALLEL.split())


def test_the_lines_of_a_recipe_are_one_script_with_oneshell(project: Project) -> None:
    makefile = '.ONESHELL:\nall:\n\t@cd /\n\tword="two words"\n\tif true; then\n\t  echo "$$word" $$PWD\n\tfi\n'
    assert output(project, makefile) == ["two words /"]
    bash = "SHELL := rdo\n.SHELLFLAGS := bash -euo pipefail -c\n"
    done = make(project, f"{bash}.ONESHELL:\nall:\n\t@false | true\n\techo not reached\n", "")
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.parametrize(
    ("flags", "recipe", "fails"),
    [
        pytest.param("", "false; echo on", False, id="sh"),
        pytest.param(".POSIX:", "false; echo on", True, id="POSIX"),
        pytest.param(".SHELLFLAGS := -ec", "false; echo on", True, id="-ec"),
        pytest.param(".SHELLFLAGS := -ec", "false || echo on", False, id="-ec, and a failure that is looked at"),
        pytest.param(".SHELLFLAGS := bash -euo pipefail -c", "false | echo on", True, id="pipefail"),
        pytest.param(".SHELLFLAGS := bash -euo pipefail -c", "echo $$undefined on", True, id="nounset"),
        pytest.param(".SHELLFLAGS := -ce", "false; echo on", True, id="-ce"),
        pytest.param(".SHELLFLAGS := -c -e", "false; echo on", True, id="-c -e"),
        pytest.param(".SHELLFLAGS := -euc", "echo $$undefined on", True, id="-euc"),
        pytest.param(".SHELLFLAGS := -e +e -c", "false; echo on", False, id="+e"),
    ],
)
def test_the_flags_of_the_shell_apply(project: Project, flags: str, recipe: str, fails: bool) -> None:
    done = make(project, f"SHELL := rdo\n{flags}\nall:\n\t@{recipe}\n\t@echo end\n", "")
    assert (done.returncode != 0, b"end" not in done.stdout) == (fails, fails)


SHELLFLAGS = (
    "-c", "-ec", "-ce", "-xc", "-xec", "-e -c", "-c -e", "-eu -c", "-uec", "-o errexit -c", "-c -o errexit", "-e +e -c",
    "+e -c", "+ec -c", "-fc", "-hc", "-h -c", "-euo pipefail -c", "-ceo pipefail", "-c -euo pipefail", "-vec", "-lc",
    "-Cec", "-C -e -c", "-n -c", "-v -c", "-nvc", "-v -n -ec", "-m -c", "-u -v -c",
    "-e", "-Q -c", "-e -c --", "-c -",
)  # fmt: skip
RECIPES = ("false; echo on", "false | echo on", "echo $$undefined on", "echo *", "true", "exit 3", "echo $$- | tr -d s")


def test_options_before_the_string_of_sh_have_the_same_effect(tmp_path: Path, runtime: dict[str, str]) -> None:
    """No recipe that fails with sh succeeds with rdo, and if both succeed, the output is the same."""
    project = local_project(tmp_path, runtime)
    (project.remote / "src" / "Makefile").touch()
    for flags in SHELLFLAGS:
        targets = " ".join(f"t{number}" for number in range(len(RECIPES)))
        rules = "".join(f"t{number}:\n\t@{recipe}\n" for number, recipe in enumerate(RECIPES))
        makefile = f".SHELLFLAGS := {flags}\nall: {targets}\n{rules}"
        here, there = (make(project, makefile, f"-k SHELL={shell}") for shell in ("/bin/sh", "rdo"))
        failed = [set(re.findall(rb"Makefile:\d+: (t\d)\]", done.stderr)) for done in (here, there)]
        assert failed[0] <= failed[1], flags
        if failed[0] == failed[1] != {f"t{number}".encode() for number in range(len(RECIPES))}:
            assert without_names(here.stdout) == without_names(there.stdout), flags


def test_each_posix_option_before_a_string_has_the_same_effect_as_with_sh(project: Project) -> None:
    string = 'set -C; false; echo $- "$0" "$1" /bin/s*; echo $undefined >out; cat out'
    for form in ("-{}c", "-{} -c", "-c -{}", "-{} -e -c", "+{} -c"):
        for letter in "abCefhmnuvx":  # without i, because each sh complains in its own words without a terminal
            words = [*form.format(letter).split(), string, "name", "a b"]
            for directory in (project.local, project.remote):
                (directory / "src" / "out").unlink(missing_ok=True)
            here = subprocess.run(["/bin/sh", *words], cwd=project.local / "src", capture_output=True, check=False)
            there = project.run(*words, cwd="src")
            assert without_shell(there.stderr) == without_shell(here.stderr), words
            assert (there.returncode, flags_sorted(there.stdout)) == (here.returncode, flags_sorted(here.stdout)), words


def without_shell(output: bytes) -> bytes:
    return re.sub(rb"(?m)^(/bin/)?sh: ", b"", output)


def flags_sorted(output: bytes) -> list[bytes]:
    """The words, of which the first is `$-`: only the letters of options in the call, so without `s`, for example."""
    first, *rest = output.split() or [b""]
    return [bytes(sorted(first.replace(b"s", b""))), *rest]


def without_names(output: bytes) -> bytes:
    return re.sub(rb"(?m)^(make|/bin/sh|rdo|sh): .*\n", b"", output)


def test_a_variable_for_vagrant_ssh_can_be_set_to_rdo(project: Project) -> None:
    makefile = "VCMD = rdo -c\nall:\n\t@pwd; $(VCMD) 'pwd; for n in 1 2; do echo $$n; done'\n"
    assert output(project, makefile, "") == [
        str(project.local / "src"), str(project.remote / "src"), "1", "2",
    ]  # fmt: skip


def test_a_make_in_a_recipe_is_one_of_the_targets_own(project: Project) -> None:
    """It gets those options and variables of this make that MAKE contains, and nothing else."""
    sub = project.remote / "src" / "sub"
    sub.mkdir()
    (sub / "Makefile").write_text("all:\n\t@echo level $(MAKELEVEL) flags $(MAKEFLAGS) $(X)\n")
    makefile = "all:\n\t@$(MAKE) --no-print-directory -C sub\n"
    assert output(project, makefile, "-j4 X=1 SHELL=rdo") == ["level 0 flags --no-print-directory"]
    (line,) = output(project, makefile, "-j4 SHELL=rdo MAKE='make -kj3 X=1'")
    assert re.fullmatch(r"level 0 flags k -j3 --jobserver-\S+ --no-print-directory -- X=1 1", line)


def test_the_options_of_the_first_make_do_not_affect_later_commands(tmp_path: Path, runtime: dict[str, str]) -> None:
    project = local_project(tmp_path, runtime)
    make(project, "all:\n\t+@true\n", "-n SHELL=rdo")
    assert b"MAKE" not in project.run("env").stdout


def test_a_bash_in_a_recipe_reads_no_start_up_file(project: Project, tmp_path: Path) -> None:
    (tmp_path / ".bashrc").write_text("echo noise; echo noise >&2\n")
    flags = f"SHELL=rdo .SHELLFLAGS='-e HOME={tmp_path} -c'"
    assert output(project, "all:\n\t@bash -c 'echo quiet'\n", flags) == ["quiet"]


WAYS = {"SHELL=rdo": ("SHELL=rdo", ""), "rdo COMMAND": ("X=1", "rdo sh -c ")}
"""Arguments of make, and what precedes the shell string of a recipe."""

each_way = pytest.mark.parametrize(("arguments", "prefix"), WAYS.values(), ids=WAYS)


@each_way
def test_on_a_terminal_a_recipe_has_a_pty_unless_other_jobs_share_it(
    project: Project, arguments: str, prefix: str
) -> None:
    recipe = "sleep 0.1; test -t 1 && echo $@ on a terminal || echo $@ on none"
    recipe = f"@{prefix}'{recipe}'" if prefix else f"@{recipe}"
    (project.local / "src" / "Makefile").write_text(f"all: a b c\na b c:\n\t{recipe}\n")
    shown = {}
    for jobs in ("-j1", "-j3", "-j"):
        with Terminal(["make", jobs, "-C", "src", arguments], project.local, project.environment) as terminal:
            shown[jobs] = terminal.expect("make: Leaving directory")
    assert re.findall(r"([abc]) on a terminal\r\n", shown["-j1"]) == ["a", "b", "c"]
    assert sorted(re.findall(r"([abc]) on none\r\n", shown["-j3"])) == ["a", "b", "c"]
    assert sorted(re.findall(r"([abc]) on none\r\n", shown["-j"])) == ["a", "b", "c"]


@pytest.mark.skipif(not shutil.which("setsid"), reason="setsid is not installed")
@each_way
def test_ctrl_c_ends_all_jobs_on_the_target(project: Project, arguments: str, prefix: str) -> None:
    recipe = "echo $$$$ >$@.pid; echo $@ runs; exec sleep 60"
    makefile = f"all: a b c\na b c:\n\t@{prefix}'{recipe}'\n" if prefix else f"all: a b c\na b c:\n\t@{recipe}\n"
    (project.local / "src" / "Makefile").write_text(makefile)
    with Terminal(["make", "-j3", "-C", "src", arguments], project.local, project.environment) as terminal:
        for _ in "abc":
            terminal.expect(" runs\r\n")
        terminal.type("\x03")
        terminal.match(r"\[Makefile:\d+: [abc]\] Interrupt")
        terminal.status()  # when all three have ended; GNU make 4.3 does not always report each
    left = [int((project.remote / "src" / f"{name}.pid").read_text()) for name in "abc"]
    assert not [pid for pid in left if is_there(pid)]
