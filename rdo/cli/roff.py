"""The man pages of rdo as plain text: only as much of roff as they have. Pure."""

from __future__ import annotations

import re
import textwrap

WIDTH = 78
"""Columns of a line."""

INDENT = " " * 7
"""Of all but the headings, as man(1) has it."""

_ESCAPE = re.compile(r"\\(?:f[BIR]|&|\((aq|ga|ha|ti)|(e)|(-))")
_NAMED = {"aq": "'", "ga": "`", "ha": "^", "ti": "~"}


def text(source: str) -> str:
    """A page, with empty lines between its parts."""
    lines: list[str] = []
    words: list[str] = []
    mode = ""

    def flush() -> None:
        indent = INDENT * (2 if mode == "entry" else 1)
        lines.extend(textwrap.wrap(" ".join(words), WIDTH, initial_indent=indent, subsequent_indent=indent))
        words.clear()

    for line in source.split("\n"):
        request, _, rest = line.partition(" ")
        if request in (".SH", ".SS", ".PP", ".TP", ".nf", ".fi"):
            flush()
            lines += _opening(request, rest, lines)
            mode = {".TP": "term", ".nf": "verbatim"}.get(request, "")
        elif line.startswith(".") or not line:
            continue
        elif mode == "verbatim":
            lines.append(INDENT + "    " + plain(line))
        elif mode == "term":
            lines.append(INDENT + plain(line))
            mode = "entry"
        else:
            words.append(plain(line))
    flush()
    return "\n".join(lines).strip("\n") + "\n"


def _opening(request: str, title: str, before: list[str]) -> list[str]:
    """What a request puts before the text that follows it."""
    gap = [""] if before and before[-1] and request != ".fi" else []
    if request in (".SH", ".SS"):
        return [*gap, ("   " if request == ".SS" else "") + plain(title.strip('"'))]
    after_heading = bool(before) and not before[-1].startswith(INDENT)
    return [] if after_heading else gap


def plain(line: str) -> str:
    """A line without its escapes."""
    return _ESCAPE.sub(lambda match: _NAMED.get(match[1] or "", "") or ("\\" if match[2] else match[3] or ""), line)
