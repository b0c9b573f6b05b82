"""Checks that no bytes crash the client in C: its decoder of frames, and its option parser. Only part of `make
soak`.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from rdo.ipc import protocol
from tests.clients import TOP
from tests.conftest import require
from tests.fuzz.test_fuzz import DURATION, GRACE, INPUT_SIZE, INPUT_TIMEOUT, MEMORY
from tests.soak import Counted, tries

SOURCES = {
    "frames": ["frames.c", "utf8.c"],
    "options": ["options.c", "shell_options.c", "environment.c", "paths.c"],
}
"""The client's sources that each target is linked with, besides memory."""

SEEDS = {
    "frames": [b"\x03" + protocol.frame(protocol.OUTPUT, b"abc") + protocol.frame(b"N", b"\xc3\xa9\xff")],
    "options": [
        b"-tp\0up\0--env=A=1\0-C\0src\0--\0make",
        b"-euo\0pipefail\0-c\0echo $1\0x",
        b"-tc\0x",
        b"--profile\0a\0--no-map-output\0-ec\0y",
    ],
}
"""The initial inputs of each target."""

FLAGS = ("-std=c11", "-g", "-O1", "-D_GNU_SOURCE", '-DRDO_VERSION="0"', "-fsanitize=fuzzer,address,undefined")


@pytest.mark.soak
@pytest.mark.parametrize("name", SOURCES)
def test_no_bytes_break_it(name: str, tmp_path: Path, counted: Counted) -> None:
    program = compiled(name, tmp_path)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(SEEDS[name]):
        (corpus / f"seed{number}").write_bytes(seed)
    limits = [f"-timeout={INPUT_TIMEOUT}", f"-rss_limit_mb={MEMORY}", f"-max_len={INPUT_SIZE}"]
    time = [f"-max_total_time={tries(2, DURATION)}", "-print_final_stats=1", f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run(
        [program, corpus, *limits, *time], capture_output=True, text=True, timeout=DURATION + GRACE, check=False,
        errors="replace",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    ran = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    assert ran, done.stderr[-4000:]
    for _ in counted(f"inputs fuzzed into {name} in C", range(int(ran[1]))):
        pass


def compiled(name: str, directory: Path) -> Path:
    """The compiled fuzzer."""
    sources = [str(TOP / "tests" / "fuzz" / "native" / f"{name}.c")]
    sources += [str(TOP / "native" / each) for each in SOURCES[name]]
    try:
        command = ["clang", *FLAGS, "-I", str(TOP / "native"), *sources, "-o", str(directory / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        require("clang", "not installed; `make soak` does that where it can be had")
    if "cannot find" in done.stderr:
        require("clang", "without libFuzzer; `make soak` installs that where it can be had")
    assert done.returncode == 0, done.stderr
    return directory / name
