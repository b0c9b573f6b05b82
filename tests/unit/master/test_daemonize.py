"""Tests for the resource limits of a control master."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import json, resource
from rdo.master import daemonize
kinds = {name: getattr(resource, f"RLIMIT_{name}") for name in ("NOFILE", "CORE", "STACK", "CPU")}
for kind in kinds.values():
    resource.setrlimit(kind, (100, resource.getrlimit(kind)[1]))
daemonize.drop_inherited()
print(json.dumps({name: resource.getrlimit(kind) for name, kind in kinds.items()}))
"""

TIMEOUT = 30.0
"""Seconds for an interpreter to start and end on a busy machine."""


@pytest.fixture(scope="module")
def limits() -> dict[str, list[int]]:
    """The soft and hard limits of a master that was started with soft limits of 100."""
    argv = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(argv, capture_output=True, check=True, timeout=TIMEOUT)
    found: dict[str, list[int]] = json.loads(done.stdout)
    return found


def test_soft_limits_are_raised_to_the_hard_ones(limits: dict[str, list[int]]) -> None:
    assert {name: soft for name, (soft, hard) in limits.items() if soft != hard and name in ("NOFILE", "CPU")} == {}


def test_it_leaves_no_core_and_its_threads_have_the_usual_stack_size(limits: dict[str, list[int]]) -> None:
    assert (limits["CORE"][0], limits["STACK"][0]) == (0, 8 << 20)
