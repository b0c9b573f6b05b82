"""Builds the files of a release: `python native/wheels.py DIRECTORY`, with the interpreter of an environment that has
`build`, `hatchling` and `ziglang`. These are the source distribution and, from that, a pure wheel and one for each
platform.

Zig's compiler includes the libraries of all targets: on Linux the program is linked statically with musl, and so runs
on any distribution; on macOS it is linked only with the system's library. Zig compiles those libraries when it first
needs them, which takes minutes, and caches them.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent


class Platform(NamedTuple):
    """The platform of a wheel."""

    tag: str
    target: str
    """The target's name for Zig."""


PLATFORMS = (
    Platform("manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64", "x86_64-linux-musl"),
    Platform("manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64", "aarch64-linux-musl"),
    Platform("macosx_11_0_x86_64", "x86_64-macos.11.0"),
    Platform("macosx_11_0_arm64", "aarch64-macos.11.0"),
)
"""The Linux tags are the oldest that every pip knows, since a static program depends on no release of a libc."""

PURE = {"RDO_WHEEL_PLATFORM": "any"}


def main() -> None:
    """Build everything, and print what is being built."""
    directory = Path(sys.argv[1]).resolve()
    command = [sys.executable, "-m", "build", "--quiet", "--no-isolation", "--sdist", "--outdir", str(directory)]
    subprocess.run([*command, str(HERE.parent)], check=True)
    (source,) = directory.glob("*.tar.gz")
    for variables in (PURE, *map(cross_compiler, PLATFORMS)):
        print(variables["RDO_WHEEL_PLATFORM"], flush=True)
        wheel(directory, source, variables)


def cross_compiler(platform: Platform) -> dict[str, str]:
    """The variables that hatch_build.py and compile.py read."""
    compiler = shlex.join([sys.executable, "-m", "ziglang", "cc", "-target", platform.target])
    return {"RDO_WHEEL_PLATFORM": platform.tag, "CC": compiler, "CFLAGS": "-Werror", "LDFLAGS": "-s"}


def wheel(directory: Path, source: Path, variables: dict[str, str]) -> None:
    """Build a wheel from a source distribution, as an installer does."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "wheel"]
    command = [*pip, "--no-deps", "--no-build-isolation", "--no-cache-dir", "--wheel-dir", str(directory), str(source)]
    subprocess.run(command, env={**os.environ, **variables}, check=True)


if __name__ == "__main__":
    main()
