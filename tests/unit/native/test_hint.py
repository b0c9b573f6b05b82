"""Checks that the client in C knows the same words that may need a hint as the client in Python."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rdo.client import command_hint

SOURCE = Path(__file__).parents[3] / "native/hint.c"


@pytest.mark.parametrize(("name", "words"), [("RDOCTL", command_hint.RDOCTL), ("BUILTINS", command_hint.BUILTINS)])
def test_both_clients_know_the_same_words(name: str, words: frozenset[str]) -> None:
    found = re.search(rf"\b{name}\[\] =\s*((?:\s*\"[^\"]*\")+);", SOURCE.read_text())
    assert found
    assert set("".join(re.findall(r'"([^"]*)"', found[1])).split()) == words
