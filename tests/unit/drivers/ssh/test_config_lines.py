"""Tests for which variables an ssh configuration mentions."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdo.drivers.ssh.config_lines import variables


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", set()),
        ("Host a\n  IdentityAgent ${OWN_AGENT}\nHost b\n  IdentityFile ~/.ssh/${A}/${B_2}", {"OWN_AGENT", "A", "B_2"}),
        ("IdentityAgent $OWN_AGENT", {"OWN_AGENT"}),
        ("ProxyCommand ssh -W %h:%p $JUMP", {"JUMP"}),
        ('Match host x exec "test -n $VPN"', {"VPN", "PWD"}),
        ("match Exec=/bin/true", {"PWD"}),
        ("Match host exec.example", {"PWD"}),  # it is asked once too often what the host means
        ("Match user x", set()),
        ("SendEnv LC_* $", set()),
    ],
)
def test_a_variable_is_found_wherever_it_is_mentioned(tmp_path: Path, text: str, names: set[str]) -> None:
    (tmp_path / "config").write_text(text)
    assert variables(str(tmp_path / "config")) == names


def test_included_files_are_read_and_unreadable_ones_skipped(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    (tmp_path / "more").mkdir()
    for name in "ab":
        (tmp_path / "more" / name).write_text(f"IdentityFile ${{{name.upper()}}}\nInclude {one}\n")  # a loop
    one.write_text(f'Host x\n  Include {tmp_path}/more/* {tmp_path}/none "{two}"\nUser ${{LAST}}\n')
    two.write_text('Include "unfinished\nIdentityFile ${C}\n')
    assert variables(str(one)) == {"A", "B", "C", "LAST"}
    assert variables(str(tmp_path)) == variables(str(tmp_path / "none")) == set()
