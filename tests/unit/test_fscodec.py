"""Tests for the conversion between text and bytes of the system, which one module does as Python's own functions do."""

from __future__ import annotations

import os
import re

from hypothesis import given
from hypothesis import strategies as st

from rdo.fscodec import fsdecode, fsencode
from tests.unit.test_layers import SOURCES

BY_HAND = re.compile(r"""(?:en|de)code\([^()]*["']surrogateescape["']|\bos\.fs(?:en|de)code\b(?!\(error)""")


@given(st.binary())
def test_text_of_the_system_is_converted_as_by_python(data: bytes) -> None:
    assert fsdecode(data) == os.fsdecode(data)
    assert fsencode(fsdecode(data)) == data


def test_no_other_module_converts_them_by_hand() -> None:
    found = {module: BY_HAND.findall(path.read_text()) for module, path in SOURCES.items() if module != "rdo.fscodec"}
    assert {module: lines for module, lines in found.items() if lines} == {}
