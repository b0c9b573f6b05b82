"""Checks on the sources of the client in C."""

from __future__ import annotations

from pathlib import Path

import rdo

NATIVE = Path(rdo.__file__).parents[1] / "native"


def test_each_file_is_short() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in NATIVE.glob("*.[ch]")}
    assert len(lengths) > 30
    assert {name for name, length in lengths.items() if length >= 300} == set()
