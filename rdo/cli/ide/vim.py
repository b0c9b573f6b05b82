"""What Vim and Neovim need: `:make`, and a command for each tool, with the form of its messages. Pure.

It goes into the project's `.exrc`, which both read if `exrc` is set; a block between two lines, beside what is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from rdo.cli.ide.draft import SHIMS, Draft, Project
from rdo.cli.ide.toolset import FILE, Messages, Tool, ToolGroup
from rdo.remote_sh.template import quote

PATH = ".exrc"

BEGIN, END = '" >>> rdo: made by `rdoctl ide vim` >>>', '" <<< rdo <<<'

BLOCK = re.compile(rf"^{re.escape(BEGIN)}\n.*?^{re.escape(END)}\n", re.MULTILINE | re.DOTALL)

MAKES_OWN = r"%+G%.%#make: *** %.%#,%+G%.%#make[%*\d]: *** %.%#"
"""Lines such as `make: *** [Makefile:2: all] Error 1`: to be read, and not the place of an error."""

FORMATS: Mapping[Messages, str] = {
    Messages.NONE: "%f:%l:%c: %m,%f:%l: %m",
    Messages.GCC: (
        f"{MAKES_OWN},"
        "%f:%l:%c: %trror: %m,%f:%l:%c: %tarning: %m,%f:%l:%c: %m,%f:%l: %m,"
        r"%D%*\a[%*\d]: Entering directory %*[`']%f',%X%*\a[%*\d]: Leaving directory %*[`']%f',"
        r"%D%*\a: Entering directory %*[`']%f',%X%*\a: Leaving directory %*[`']%f'"
    ),
    Messages.TRACEBACK: r'%*\sFile "%f"\, line %l\, %m,%*\sFile "%f"\, line %l',
    Messages.PYTEST: "%f:%l: %m",
    Messages.RUFF: "%f:%l:%c: %m",
    Messages.MYPY: "%f:%l:%c: %t%*[^:]: %m,%f:%l: %t%*[^:]: %m",
    Messages.STYLISH: r"%-P%f,%*\s%l:%c%*\s%trror%*\s%m,%*\s%l:%c%*\s%tarning%*\s%m,%-Q",
    Messages.TSC: r"%f(%l\,%c): %trror TS%n: %m",
    Messages.JEST: r"%*\sat %.%#(%f:%l:%c),%*\sat %f:%l:%c",
    Messages.RUSTC: r"%E%trror%.%#: %m,%W%tarning%.%#: %m,%Z%*\s--> %f:%l:%c",
    Messages.GO: "%f:%l:%c: %m,%-G#%.%#",
}
"""errorformat for each form."""

FUNCTIONS = """\
function! s:check() abort
  let l:items = getqflist()
  for l:each in filter(copy(l:items), 'v:val.valid && !(v:val.bufnr && filereadable(bufname(v:val.bufnr)))')
    let l:place = l:each.bufnr ? [bufname(l:each.bufnr), l:each.lnum] + (l:each.col ? [l:each.col] : []) : []
    let l:each.text = join(l:place, ':') . (l:each.bufnr ? ': ' : '') . l:each.text
    let [l:each.valid, l:each.bufnr, l:each.lnum, l:each.col] = [0, 0, 0, 0]
  endfor
  call setqflist([], 'r', {'items': l:items})
endfunction
augroup rdo
  autocmd!
  autocmd QuickFixCmdPost make call s:check()
augroup END
function! s:rdo(program, format, arguments) abort
  let l:saved = [&l:makeprg, &l:errorformat]
  let [&l:makeprg, &l:errorformat] = [a:program, a:format]
  try
    execute 'make' a:arguments
  finally
    let [&l:makeprg, &l:errorformat] = l:saved
  endtry
endfunction
"""
"""An entry whose file cannot be read, such as a time or an address, becomes a line of text, since it would open an
empty buffer."""


def drafts(tools: Sequence[Tool], project: Project) -> Iterator[Draft]:
    """The file, with rdo's block replaced, or added after the existing text."""
    block = render(tools)
    now = project.read(PATH) or ""
    if BLOCK.search(now):
        yield Draft(PATH, BLOCK.sub(lambda _: block, now, count=1))
    else:
        gap = "" if not now else "\n" if now.endswith("\n") else "\n\n"
        yield Draft(PATH, now + gap + block)


def notes(tools: Sequence[Tool]) -> list[str]:
    """What is left to do."""
    return ["add `set exrc` to your vimrc, so that Vim reads it; Neovim asks once whether to trust it"]


def render(tools: Sequence[Tool]) -> str:
    """The text of the block."""
    lines = [BEGIN, f"let s:bin = expand('<sfile>:p:h') . '/{SHIMS}/'"]
    for messages in dict.fromkeys(tool.messages for tool in tools):
        lines.append(f"let s:{messages.value} = {_string(FORMATS[messages])}")
    builder = next((tool for tool in tools if tool.group is ToolGroup.BUILD), None)
    if builder:
        lines += [f"let &makeprg = {_program(builder)}", f"let &errorformat = s:{builder.messages.value}"]
    lines += FUNCTIONS.splitlines()
    for tool in tools:
        call = f"call s:rdo({_program(tool)}, s:{tool.messages.value}, <q-args>)"
        lines.append(f"command! -nargs=* -complete=file Rdo{_name(tool.name)} {call}")
    return "\n".join([*lines, END, ""])


def _program(tool: Tool) -> str:
    """An expression for makeprg: a shell command line, in which Vim replaces `%` and `#` unless they are escaped."""
    words = ["%:S" if word == FILE else re.sub(r"([%#])", r"\\\1", quote(word)) for word in tool.line[1:]]
    start = f"escape(shellescape(s:bin . {_string(tool.executable)}), '%#')"
    return f"{start} . {_string(' '.join(['', *words]))}" if words else start


def _string(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name(name: str) -> str:
    """A tool's name as part of the name of a command, which may only have letters and digits."""
    return "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", name))
