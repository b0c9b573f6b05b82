"""Tests with real editors in a project that `rdoctl ide` set up: errors of tools on the target lead to the local
files.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.project import TIMEOUT, Project

MAKEFILE = 'all:\n\tgcc -c -o /dev/null src/bad.c\nfar:\n\tgcc -c -o /dev/null "$(CURDIR)/src/bad.c"\n'

DUMP = """\
call writefile(map(getqflist(), {_, e -> (e.valid ? fnamemodify(bufname(e.bufnr), ':p') . ':' . e.lnum . ':' : '')
      \\ . e.text}), 'seen')
"""

COMPILE = """\
(setq enable-local-variables :all compilation-always-kill t)
(find-file "src/bad.c")
(with-current-buffer (compile compile-command)
  (while (get-buffer-process (current-buffer)) (accept-process-output nil 0.1)))
(next-error)
(princ (format "%s:%d\\n" (buffer-file-name) (line-number-at-pos)))
"""


@pytest.fixture
def project(configured: Project) -> Project:
    """A project with an error in C and one in Python, and with another path on the target."""
    if not shutil.which("gcc"):
        require("gcc", "it is not installed")
    sources = {"Makefile": MAKEFILE, "src/bad.c": "int x;\nint f(void) { return y; }\n", "src/bad.py": "\n1 / 0\n"}
    for directory in (configured.local, configured.remote):
        for path, text in sources.items():
            (directory / path).write_text(text)
    (configured.local / "Makefile").write_text("all far:\n\t@echo this is not the target\n")
    (configured.remote / "bin").mkdir()
    (configured.remote / "bin/python").symlink_to(sys.executable)
    configured.configure((configured.local / ".rdo.conf").read_text() + 'path = ["bin"]\n')
    return configured


def edit(project: Project, command: list[str]) -> str:
    """The output of an editor without a terminal, on both streams. TERM is the one that Emacs has in a window."""
    done = subprocess.run(
        command, cwd=project.local, env={**project.environment, "TERM": "dumb"}, timeout=TIMEOUT, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.stdout.decode(errors="replace")


def quickfix(project: Project, program: str, command: str, file: str) -> list[str]:
    """Vim's list of errors after a command: path, line and text of entries with a file, and the text of others."""
    Path(project.environment["HOME"], ".vimrc").write_text("set exrc\n")
    (project.local / "dump.vim").write_text(DUMP)
    options = ["-i", "NONE", "-n", "--not-a-term"]
    shown = edit(project, [program, *options, "-c", command, "-c", "source dump.vim", "-c", "qall!", file])
    seen = project.local / "seen"
    assert seen.exists(), shown
    return seen.read_text().splitlines()


def vim() -> str:
    """A Vim with quickfix and scripts, which vim.tiny does not have."""
    program = shutil.which("vim")
    features = program and subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    if not program or "+quickfix" not in str(features) or "+eval" not in str(features):
        require("vim", "it is not installed, or too small a one")
    return program


@pytest.mark.parametrize("command", ["silent make", "silent make far", "silent RdoMake far"])
def test_vims_make_fills_the_quickfix_list_with_local_paths(project: Project, command: str) -> None:
    assert project.shell("rdoctl ide vim make python").returncode == 0
    (error,) = [line for line in quickfix(project, vim(), command, "Makefile") if "undeclared (" in line]
    assert error.startswith(f"{project.local}/src/bad.c:2:")


def test_vim_runs_the_open_file_and_finds_the_line_of_a_traceback(project: Project) -> None:
    assert project.shell("rdoctl ide vim python").returncode == 0
    lines = quickfix(project, vim(), "silent RdoPython", "src/bad.py")
    assert f"{project.local}/src/bad.py:2:in <module>" in lines


RECIPES = """\
all: ; @echo '12:30:45: a clock'; echo 'http://localhost:80: no'; $(MAKE) -s sub
sub: ; @gcc -c -o /dev/null src/bad.c
"""


def test_only_lines_that_lead_to_a_file_are_error_locations(project: Project) -> None:
    (project.remote / "Makefile").write_text(RECIPES)
    assert project.shell("rdoctl ide vim make").returncode == 0
    lines = quickfix(project, vim(), "silent make", "Makefile")
    there = [line for line in lines if line.startswith(f"{project.local}/")]
    assert {line.partition(": ")[0].rpartition("/")[2].partition(":")[0] for line in there} == {"bad.c"}
    others = [line for line in lines if line not in there]
    assert "12:30:45: a clock" in others
    assert "http://localhost:80: no" in others
    assert [line for line in others if "***" in line] == [
        "make[1]: *** [Makefile:2: sub] Error 1",
        "make: *** [Makefile:1: all] Error 2",
    ]


def test_only_failures_in_pytest_are_error_locations(project: Project) -> None:
    for directory in (project.local, project.remote):
        (directory / "src/test_bad.py").write_text('def test_bad() -> None:\n    assert "12:30: x" == "a:1: b"\n')
    (project.remote / "bin/pytest").symlink_to(Path(sys.executable).with_name("pytest"))
    assert project.shell("rdoctl ide vim pytest").returncode == 0
    lines = quickfix(project, vim(), "silent RdoPytest -c /dev/null --rootdir=. src/test_bad.py", "src/test_bad.py")
    there = [line for line in lines if line.startswith(f"{project.local}/")]
    assert there == [f"{project.local}/src/test_bad.py:2:AssertionError"]


@pytest.mark.skipif(not shutil.which("emacs"), reason="emacs is not installed")
def test_emacs_compiles_on_the_target_and_finds_the_error_here(project: Project, tmp_path: Path) -> None:
    assert project.shell("rdoctl ide emacs make").returncode == 0
    (tmp_path / "compile.el").write_text(COMPILE)
    for target in ("", " far"):
        settings = project.local / ".dir-locals-2.el"
        settings.write_text(settings.read_text().replace("bin/make'", f"bin/make'{target}"))
        shown = edit(project, ["emacs", "--batch", "-Q", "-l", str(tmp_path / "compile.el")])
        assert f"{project.local}/src/bad.c:2" in shown.splitlines()
