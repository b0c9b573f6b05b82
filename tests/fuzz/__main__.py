"""Fuzzes one target with atheris: `python -m tests.fuzz NAME DIRECTORY [OPTION]...`. The directory has the corpus."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["rdo", "tomllib", "tomli"]):
    from tests.fuzz.targets import SEEDS, TARGETS


def main() -> None:
    name, directory, *options = sys.argv[1:]
    for number, seed in enumerate(SEEDS[name]):
        Path(directory, f"seed{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], *options, directory], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
