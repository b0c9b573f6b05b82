"""Text and bytes of the system: one module converts them, as Python's own functions do."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo.fscodec import fsdecode, fsencode
from tests.unit.test_layers import SOURCES

BY_HAND = re.compile(r"""(?:en|de)code\([^()]*["']surrogateescape["']|\bos\.fs(?:en|de)code\b(?!\(error)""")


@given(st.binary())
def test_text_of_the_system_is_bytes_and_back_as_python_s_own(data: bytes) -> None:
    assert fsdecode(data) == os.fsdecode(data)
    assert fsencode(fsdecode(data)) == data


@pytest.mark.parametrize("module", sorted(SOURCES.keys() - {"rdo.fscodec"}))
def test_no_other_module_converts_them_by_hand(module: str) -> None:
    assert not BY_HAND.findall(SOURCES[module].read_text())
