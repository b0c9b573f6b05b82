"""Checks that no bytes from outside cause a traceback, a hang, or unbounded memory. Only part of `make soak`."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import require
from tests.fuzz.targets import TARGETS
from tests.soak import Counted, tries

DURATION = 60
"""Seconds for each target."""

INPUT_TIMEOUT = 5
"""Seconds for one input. Each takes less than a thousandth of that."""

MEMORY = 512
"""MiB for the whole process. An instrumented interpreter takes 80."""

INPUT_SIZE = 4096
"""The largest size of an input, in bytes."""

GRACE = 60
"""Seconds beyond its duration for a run to start and to end."""


@pytest.mark.soak
@pytest.mark.parametrize("name", TARGETS)
def test_no_bytes_break_it(name: str, tmp_path: Path, counted: Counted) -> None:
    if importlib.util.find_spec("atheris") is None:
        require("atheris", "not installed; `make soak` does that where it can be had")
    limits = [f"-timeout={INPUT_TIMEOUT}", f"-rss_limit_mb={MEMORY}", f"-max_len={INPUT_SIZE}"]
    time = f"-max_total_time={tries(2, DURATION)}"
    command = [sys.executable, "-m", "tests.fuzz", name, str(tmp_path), *limits, time, f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DURATION + GRACE, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    ran = re.search(r"^Done (\d+) runs", done.stderr, re.MULTILINE)
    assert ran, done.stderr[-4000:]
    for _ in counted(f"inputs fuzzed into {name}", range(int(ran[1]))):
        pass
