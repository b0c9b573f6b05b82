"""Tests for threads of the client."""

from __future__ import annotations

import subprocess
import sys

import pytest

NO_ROOM = """
import resource
from rdo.client import threads
from rdo.errors import SetupError

with open("/proc/self/statm") as file:
    size = int(file.read().split()[0]) * resource.getpagesize() + 1024 * 1024
resource.setrlimit(resource.RLIMIT_AS, (size, size))
try:
    threads.start(print, "ran")
except SetupError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_if_the_system_allows_no_more_threads_the_error_is_one_line() -> None:
    done = subprocess.run([sys.executable, "-c", NO_ROOM], capture_output=True, check=False, text=True)
    line = "cannot start a thread: the limit on processes or memory has been reached; see `ulimit -a`\n"
    assert (done.stdout, done.stderr) == (line, "")
