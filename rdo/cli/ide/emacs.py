"""What Emacs needs: the commands and executables of a project, in its directory-local variables. Pure.

They go into `.dir-locals-2.el`, which Emacs reads beside `.dir-locals.el`, for one's own values: its paths are those of
one machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rdo.cli.ide.draft import Draft, Project, whole
from rdo.cli.ide.toolset import FILE, Tool, ToolGroup
from rdo.remote_sh.template import quote

PATH = ".dir-locals-2.el"

HEAD = """\
;;; Made by `rdoctl ide emacs`.  -*- mode: emacs-lisp; no-byte-compile: t -*-
;; Commands run on the target; the files are here. So open them by their local names: TRAMP is not needed.
"""

EXECUTABLES: Mapping[str, tuple[str, ...]] = {
    "pytest": ("python-pytest-executable",),
    "ruff": ("flycheck-python-ruff-executable",),
    "mypy": ("flycheck-python-mypy-executable",),
    "cargo": ("cargo-process--custom-path-to-bin", "rustic-cargo-bin"),
}
"""For each tool, the variables that name its executable, of Emacs itself and of common packages."""


NO_PYTHON_SHELL = (
    "`python-shell-interpreter` is left alone: Emacs has it read temporary files, which are not on the target; "
    "type `M-x compile`, or `rdo python` in a terminal"
)


def drafts(tools: Sequence[Tool], project: Project) -> Iterator[Draft]:
    """The file."""
    yield whole(project, PATH, render(tools, project))


def notes(tools: Sequence[Tool]) -> list[str]:
    """What is left to do, and what the user may have expected."""
    asked = "Emacs asks once whether to trust these values; `!` accepts them permanently"
    return [asked, *([NO_PYTHON_SHELL] if any(tool.name == "python" for tool in tools) else [])]


def render(tools: Sequence[Tool], project: Project) -> str:
    """The file's text."""
    values = [(name, project.shim(tool.executable)) for tool in tools for name in EXECUTABLES.get(tool.name, ())]
    lines = [f"({name} . {string(value)})" for name, value in [*_compile(tools, project), *values]]
    return HEAD + "((nil . (" + "\n         ".join(lines) + ")))\n"


def _compile(tools: Sequence[Tool], project: Project) -> Iterator[tuple[str, str]]:
    """`M-x compile` builds, or runs tests if nothing is built, in the project's directory, wherever the file is."""
    for group in (ToolGroup.BUILD, ToolGroup.TEST):
        for tool in tools:
            if tool.group is group and FILE not in tool.arguments:
                line = " ".join(map(quote, [project.shim(tool.executable), *tool.arguments]))
                yield "compile-command", f"cd {quote(project.root)} && {line}"
                return


def string(text: str) -> str:
    """A string of Emacs Lisp."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
