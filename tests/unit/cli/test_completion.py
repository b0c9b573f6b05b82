"""Checks that the completion scripts have exactly rdo's options."""

from __future__ import annotations

import pytest

from rdo.cli import completion
from rdo.client import argv


def test_every_option_is_completed_and_no_other() -> None:
    known = [name for names in completion.HELP for name in names]
    assert sorted(known) == sorted([*argv.FLAGS, *argv.VALUES])


@pytest.mark.parametrize("values", [completion.ZSH_VALUES, completion.FISH_VALUES])
def test_every_option_with_a_value_says_how_that_is_completed(values: dict[str, str]) -> None:
    synonyms = {name: names[0] for names in completion.HELP for name in names}
    assert {synonyms[name] for name in argv.VALUES} == set(values)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_no_placeholder_is_left(shell: str) -> None:
    text = completion.script(shell)
    assert not any(mark in text for mark in ("@OPTIONS@", "@VALUES@", "@SPECS@"))
