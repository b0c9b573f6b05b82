"""Tests for the machines of a Vagrantfile: names that it contains literally, and those of machines that Vagrant
created.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rdo.cli.init import vagrantfile
from rdo.cli.init.vagrantfile import Machines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('config.vm.define "web", primary: true do |web|\n', ["web"], id="double quotes"),
        pytest.param("c.vm.define('db') { |db| }\n", ["db"], id="brackets"),
        pytest.param("c.vm.define :db do\n", ["db"], id="symbol"),
        pytest.param("c.vm.define :'d-b' do\n", ["d-b"], id="quoted symbol"),
        pytest.param('c.vm.define "a"\r\nc.vm.define "b"\r\n', ["a", "b"], id="carriage returns"),
        pytest.param(
            '  # c.vm.define "old"\n=begin\nc.vm.define "x"\n=end\nc.vm.define "a" # c.vm.define "b"\n',
            ["a"],
            id="comments",
        ),
        pytest.param("", [], id="none"),
    ],
)
def test_names_that_are_literal_are_known(text: str, expected: list[str]) -> None:
    assert vagrantfile.defined(text) == Machines(expected, False)


@pytest.mark.parametrize(
    "name",
    [
        "name",
        '"node#{i}"',
        '"node-#{i}"',
        '"node" + i',
        '"n%d" % i',
        "box[:name]",
        "(\n'web')",
        ":node.to_s",
        "x = 'a'",
    ],
)
def test_a_computed_name_is_not_used(name: str) -> None:
    text = f"(1..3).each do |i|\n  config.vm.define {name} do |node|\nend\n"
    assert vagrantfile.defined(text) == Machines([], True)


def test_if_names_are_computed_the_machines_that_vagrant_created_are_found(tmp_path: Path) -> None:
    text = "c.vm.define name\n"
    (tmp_path / "Vagrantfile").write_text(text)
    for name in ("n1", "n2", "never-up"):
        (tmp_path / ".vagrant/machines" / name / "virtualbox").mkdir(parents=True)
    for name in ("n1", "n2"):
        (tmp_path / ".vagrant/machines" / name / "virtualbox/id").write_text("x")
    assert vagrantfile.machines(text, str(tmp_path), {}) == Machines(["n1", "n2"], True)
    assert vagrantfile.machines('c.vm.define "a"', str(tmp_path), {}) == Machines(["a"], False)
