"""Tests for which variables an ssh configuration mentions."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdo.drivers.ssh.config_lines import examine


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
    assert examine(str(tmp_path / "config")).variables == names


def test_included_files_are_read_and_unreadable_ones_skipped(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    (tmp_path / "more").mkdir()
    for name in "ab":
        (tmp_path / "more" / name).write_text(f"IdentityFile ${{{name.upper()}}}\nInclude {one}\n")  # a loop
    one.write_text(f'Host x\n  Include {tmp_path}/more/* {tmp_path}/none "{two}"\nUser ${{LAST}}\n')
    two.write_text('Include "unfinished\nIdentityFile ${C}\n')
    assert examine(str(one)).variables == {"A", "B", "C", "LAST"}
    assert examine(str(tmp_path)).variables == examine(str(tmp_path / "none")).variables == set()


def test_a_file_that_appears_where_an_include_looks_changes_the_text(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "config").write_text(f"Include {tmp_path}/more/* {tmp_path}/none")
    before = examine(str(tmp_path / "config"))
    assert before.places == {str(tmp_path / name) for name in ("config", "more")} | {str(tmp_path)}
    (tmp_path / "more" / "a").write_text("Host a\n")
    after = examine(str(tmp_path / "config"))
    assert after != before
    assert after == examine(str(tmp_path / "config"))
    (tmp_path / "more" / "a").write_text("Host b\n")
    assert examine(str(tmp_path / "config")) != after
