"""Tests that binary output is never changed, even if paths are mapped."""

from __future__ import annotations

import hashlib
import os
import random

import pytest

from tests.e2e.project import Project

pytestmark = pytest.mark.usefixtures("lent")

MIB = 1 << 20
SIZE = (1024 if os.environ.get("RDO_SOAK") else 16) * MIB
"""Bytes to transfer; a whole GiB only in `make soak`."""

SEED = 1729
WRITER = f"""
import random, sys
chance = random.Random({SEED})
for _ in range({SIZE // MIB}):
    sys.stdout.buffer.write(chance.randbytes({MIB}))
"""


def test_random_bytes_are_unchanged(project: Project) -> None:
    chance = random.Random(SEED)
    expected, found = hashlib.sha256(), hashlib.sha256()
    with project.start("-m", "python3", "-c", WRITER) as process:
        assert process.stdout
        for _ in range(SIZE // MIB):
            expected.update(chance.randbytes(MIB))
            found.update(process.stdout.read(MIB))
        assert process.stdout.read() == b""
        assert process.wait() == 0
    assert found.digest() == expected.digest()


def test_an_archive_and_a_list_with_nul_bytes_are_unchanged(project: Project) -> None:
    (project.remote / "src" / "file").write_text(f"{project.remote}/src\n")
    for line in ('tar -cPf - "$PWD"', 'find "$PWD" -print0', 'printf "\\211%s/x" "$PWD"'):
        assert project.run("-m", "-c", line).stdout == project.run("-c", line).stdout
        assert bytes(project.remote) in project.run("-m", "-c", line).stdout
