"""What a Dockerfile needs of the engine that builds it. Pure."""

from __future__ import annotations

import re

LINE_ENDS = re.compile(r"\\[ \t]*\n(?:[ \t]*#[^\n]*\n)*")
"""An instruction continues in the next line, comments left out."""

INSTRUCTION = re.compile(r"(?:ONBUILD\s+)?(RUN|COPY|ADD|FROM)\s+(.*)", re.IGNORECASE)

FLAG = re.compile(r"--([a-z-]+)")

CLASSIC = {"RUN": (), "COPY": ("chown", "from"), "ADD": ("chown",), "FROM": ("platform",)}
"""The flags that the engine's own builder knows, of the instructions that have more under BuildKit."""

PLATFORM = re.compile(r"\$\{?(BUILD|TARGET)(PLATFORM|OS|ARCH|VARIANT)\b")
"""The arguments that BuildKit alone sets."""

HERE_DOCUMENT = re.compile(r"(?<!<)<<-?[\"']?[A-Za-z_]")


def buildkit_feature(text: str) -> str:
    """The first word of a Dockerfile that only BuildKit understands, as `RUN --mount`; empty where there is none.

    Of the reference of Dockerfiles. A here-document of the shell's own looks as one of BuildKit's.
    """
    for line in LINE_ENDS.sub(" ", text.replace("\r\n", "\n")).split("\n"):
        found = INSTRUCTION.match(line.strip())
        if found and (word := _word(found[1].upper(), found[2])):
            return word
    return ""


def _word(instruction: str, rest: str) -> str:
    for each in rest.split():
        flag = FLAG.match(each)
        if flag is None:
            break
        if flag[1] not in CLASSIC[instruction]:
            return f"{instruction} --{flag[1]}"
    if instruction == "FROM":
        return found[0].replace("{", "") if (found := PLATFORM.search(rest)) else ""
    return f"{instruction} <<" if HERE_DOCUMENT.search(rest) else ""
