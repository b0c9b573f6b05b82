"""Compiles the client in C: `python native/compile.py OUTPUT`, with the machine's cc, or the one that CC names.

Run by hatch_build.py for a wheel, and by the Makefile for a checkout. Needs nothing but Python, CFLAGS and LDFLAGS, and
uses only those modules of the package beside it that import nothing.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the package is not installed yet

from rdo import __version__
from rdo.errors import reason

HERE = Path(__file__).resolve().parent

FLAGS = ("-std=c11", "-O2", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wconversion", "-Wshadow")
"""Without -Werror, since a new warning of a future compiler must not keep anybody from installing rdo. The Makefile
adds it."""

STATIC = "-static-pie"
"""A program without a loader starts in a quarter less time. Not every system has a libc for that."""

COMPILE_TIMEOUT = 1800.0
"""Seconds, as a protection against hangs. A cross-compiler first builds its libc, which takes minutes on a loaded
machine."""

LAST_LINES = 3
"""Lines of a compiler's errors to report, in one line."""


class CannotCompileError(Exception):
    """Why there is no client in C."""


def compile_client(output: Path, package: str = "") -> None:
    """Write the program: a static one if that can be, unless LDFLAGS say how it is to be linked.

    `package`: where rdo is, for a checkout; else it is found by the place of the program. Raises CannotCompileError.
    """
    linker = os.environ.get("LDFLAGS")
    if linker is None:
        try:
            _compile(output, package, [STATIC])
            return
        except CannotCompileError:
            pass  # if there is another reason, the next attempt reports it
    _compile(output, package, shlex.split(linker or ""))


def _compile(output: Path, package: str, linker: list[str]) -> None:
    compiler = shlex.split(os.environ.get("CC") or "cc")
    sources = sorted(map(str, HERE.glob("*.c")))
    flags = [*FLAGS, *shlex.split(os.environ.get("CFLAGS", ""))]
    made = output.with_name(f"{output.name}.{os.getpid()}")  # moved into place, since the old one may be running
    command = [*compiler, *flags, *definitions(package), *sources, *linker, "-o", str(made)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=COMPILE_TIMEOUT, check=False)
    except OSError as error:
        raise CannotCompileError(f"no C compiler was found: `{compiler[0]}`: {reason(error)}") from None
    except subprocess.TimeoutExpired:
        raise CannotCompileError(f"the C compiler `{compiler[0]}` did not come to an end") from None
    if done.returncode != 0:
        last = b"; ".join(done.stderr.strip().splitlines()[-LAST_LINES:]).decode("utf-8", "replace")
        made.unlink(missing_ok=True)
        raise CannotCompileError(f"the C compiler `{compiler[0]}` failed: {last}")
    sys.stderr.buffer.write(done.stderr)
    made.replace(output)


def definitions(package: str) -> list[str]:
    """The macros that describe rdo to the sources."""
    given = [f"-DRDO_VERSION={quoted(__version__)}"]
    return [*given, f"-DRDO_PACKAGE={quoted(package)}"] if package else given


def quoted(text: str) -> str:
    """A string literal in C, without two question marks in a row, which might form a trigraph."""
    return '"' + re.sub(r'(["\\?])', r"\\\1", text) + '"'


def main() -> None:
    """Compile, or report in one line why that is not possible."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--package", default="", help="where rdo is, for a checkout")
    options = parser.parse_args()
    try:
        compile_client(options.output, options.package)
    except CannotCompileError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
