"""Tests for how much freed memory the C library keeps, by page faults, and for how often garbage is collected."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

BUFFERS = """
import resource, sys
from rdo.master import memory

if sys.argv[1] == "kept":
    memory.keep_freed()
for _ in range(100):
    joined = b"".join((bytes(200_000), bytes(200_000)))
    del joined
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""

KEPT = """
import gc
from rdo.master import memory

memory.collect_garbage()
before = sum(each["collections"] for each in gc.get_stats())
kept = [[] for _ in range(100_000)]
print(sum(each["collections"] for each in gc.get_stats()) - before)
"""


def faults(how: str) -> int:
    found = subprocess.run([sys.executable, "-c", BUFFERS, how], capture_output=True, check=True)
    return int(found.stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="its C library has no mallopt")
def test_the_pages_of_a_buffer_are_reused_for_the_next_one() -> None:
    assert faults("given back") - faults("kept") > 50 * 400_000 // 4096


def test_records_of_many_files_seldom_cause_garbage_collection() -> None:
    found = subprocess.run([sys.executable, "-c", KEPT], capture_output=True, check=True)
    assert 0 < int(found.stdout) <= 20  # 140 by default
