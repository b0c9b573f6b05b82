"""Tests for which hosts of the user's ssh configuration are offered."""

from __future__ import annotations

from pathlib import Path

from rdo.cli.init import questions


def configure(home: Path, **files: str) -> dict[str, str]:
    """The environment of a user with these files below ~/.ssh."""
    for name, text in files.items():
        path = home / ".ssh" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {"HOME": str(home)}


def test_aliases_are_offered_and_patterns_are_not(tmp_path: Path) -> None:
    text = '# Host old\nHost devbox box2 # Host x\n  User me\nhost=gate\nHOST "quoted" *.example.com !no web?\nHost *\n'
    environment = configure(tmp_path, config=text + 'Host "cut\nMatch host x\n\tHost\ttab\n')
    assert questions.ssh_hosts(environment) == ["devbox", "box2", "gate", "quoted", "tab"]


def test_included_files_are_read_and_may_be_patterns(tmp_path: Path) -> None:
    more = {"config_d__10": "Host a\n", "config_d__20": "Host b\nInclude ~/.ssh/deep\n", "deep": "Host c\n"}
    environment = configure(tmp_path, config="Include config_d/* gone\nHost z\n", **more)
    assert questions.ssh_hosts(environment) == ["a", "b", "c", "z"]


def test_an_include_cycle_ends(tmp_path: Path) -> None:
    environment = configure(tmp_path, config="Include config config\nHost a\n")
    assert questions.ssh_hosts(environment) == ["a"]


def test_another_file_can_be_used_and_it_need_not_exist(tmp_path: Path) -> None:
    assert questions.ssh_hosts({"HOME": str(tmp_path)}) == []
    (tmp_path / "mine").write_text("Host a -x\n")
    assert questions.ssh_hosts({"RDO_SSH_CONFIG": str(tmp_path / "mine")}) == ["a"]
