"""Tests for the man pages: generated from the help texts, complete, and accepted by man and mandoc."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import click
import pytest

from manual import page
from manual.__main__ import DIRECTORY, REFERENCE, pages, reference
from rdo.cli import man
from rdo.cli.command_group import rdoctl
from rdo.client.argv import FLAGS, VALUES
from rdo.config.schema import KEYS
from rdo.rsh import ssh_argv
from tests.conftest import require

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGES = pages()

TIMEOUT = 30.0
"""Seconds for formatting a page."""

each_page = pytest.mark.parametrize("name", PAGES)


def terms(name: str) -> set[str]:
    """The options and keys that have an entry in a page."""
    lines = re.findall(r"^\.TP\n(.*)$", PAGES[name], re.MULTILINE)
    return {word for line in lines for word in re.findall(r"\\fB([^ ]*?)\\fR", line.replace(r"\-", "-"))}


@each_page
def test_the_page_in_the_repository_is_up_to_date(name: str) -> None:
    assert (DIRECTORY / name).read_text() == PAGES[name], "type `make man`"


def test_the_reference_in_the_documentation_is_up_to_date() -> None:
    assert REFERENCE.read_text() == reference(), "type `make man`"


def test_an_installed_rdo_includes_the_pages() -> None:
    project = tomllib.loads((DIRECTORY.parent / "pyproject.toml").read_text())
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    assert shared == {f"manual/{name}": f"share/man/man1/{name}" for name in PAGES}


def test_each_page_is_also_in_the_package_for_installers_that_man_does_not_search() -> None:
    project = tomllib.loads((DIRECTORY.parent / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {f"manual/{name}": f"rdo/manual/{name}" for name in PAGES}


NOT_FOR_USERS = {"RDO_BOOT"}
"""Variables that rdo sets for its own shell."""

SOURCES = sorted((DIRECTORY.parent / "rdo").rglob("*.py"))


def read_variables() -> set[str]:
    """The names that the code reads from an environment, and all that begin with RDO_."""
    texts = [path.read_text() for path in SOURCES]
    taken = {name for text in texts for name in re.findall(r"environ\w*(?:\.get\(|\[)\"([A-Z_]+)\"", text)}
    return taken | {name for text in texts for name in re.findall(r"\"(RDO_[A-Z_]+)\"", text)}


@pytest.mark.parametrize("name", ["rdo.1", "rdoctl.1"])
def test_each_variable_that_the_code_reads_has_its_entry(name: str) -> None:
    section = man.plain_text(PAGES[name].partition('.SH "ENVIRONMENT"')[2].partition("\n.SH")[0])
    assert read_variables() - NOT_FOR_USERS - set(re.findall(r"[A-Z][A-Z_]+", section)) == set()


@pytest.mark.parametrize("name", ["rdo.1", "rdoctl.1"])
def test_each_page_lists_the_files(name: str) -> None:
    section = PAGES[name].partition('.SH "FILES"')[2].partition(".SH")[0]
    assert all(file in section for file in (".rdo.conf", "config.toml", "allowed"))


def test_a_key_is_shown_with_its_default_instead_of_its_example() -> None:
    words = " ".join(man.plain_text(PAGES["rdo.1"]).split())
    assert "map_args rewrite local paths in arguments; default: true; example: map_args = false" in words


@each_page
def test_as_plain_text_a_page_has_all_words_and_no_roff(name: str) -> None:
    text = man.plain_text(PAGES[name])
    assert max(map(len, text.splitlines())) <= 100
    assert "\\" not in text.replace("\\n", "").replace("\\0", "")
    assert not [line for line in text.splitlines() if line.startswith(".")]
    if shutil.which("mandoc"):
        done = subprocess.run(["mandoc", "-Tutf8", DIRECTORY / name], capture_output=True, timeout=TIMEOUT, check=True)
        shown = re.sub(r".\x08", "", done.stdout.decode()).replace("\u2010", "-").replace("\u2212", "-").split()
        assert " ".join(text.split()) in " ".join(shown)


def test_roff_of_a_heading_an_entry_and_lines_that_stay() -> None:
    source = '.SH "A"\n.SS "b"\nt\n.TP\n\\fB\\-x\\fR\n\\&.y \\(aqz\\(aq \\e\n.PP\n.RS 4\n.nf\n  l\n.fi\n.RE\n'
    assert man.plain_text(source) == "A\n\n   b\n       t\n\n       -x\n              .y 'z' \\\n\n             l\n"


def test_each_option_and_key_has_its_entry() -> None:
    assert {*FLAGS, *VALUES, *(name for name, key in KEYS.items() if key.help)} <= terms("rdo.1")
    assert {"--profile", "--project", "--help", *(f"-{letter}" for letter in ssh_argv.TAKEN)} <= terms("rdo-rsh.1")


def test_each_command_of_rdoctl_has_its_part_with_its_options() -> None:
    def check(command: click.Command, path: str) -> None:
        options = {option for each in command.params for option in each.opts if not getattr(each, "hidden", False)}
        assert {option for option in options if option.startswith("-")} <= terms("rdoctl.1")
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                assert f'.SS "{path}{name}"\n' in PAGES["rdoctl.1"]
                below = command.get_command(context, name)
                assert below
                check(below, f"{path}{name} ")

    check(rdoctl, "")


@each_page
def test_mandoc_accepts_it_without_a_warning(name: str) -> None:
    if shutil.which("mandoc") is None:
        require("mandoc", "it is not installed")
    done = subprocess.run(["mandoc", "-Tlint", DIRECTORY / name], capture_output=True, timeout=TIMEOUT, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@each_page
def test_man_shows_it_without_a_warning(name: str) -> None:
    if shutil.which("mandb") is None:
        require("man-db", "it is not installed")
    done = subprocess.run(
        ["man", "--warnings", "-l", DIRECTORY / name], capture_output=True, timeout=TIMEOUT, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(name.removesuffix(".1").upper().encode())


def test_text_is_printed_unchanged() -> None:
    assert page.escape(r"a-b \ 'c' `d` ^~") == r"a\-b \e \(aqc\(aq \(gad\(ga \(ha\(ti"
    assert list(page.Paragraph(".rdo.conf, `rdo -m`").lines()) == [".PP", r"\&.rdo.conf, \fBrdo \-m\fR"]
    entry = list(page.Entry("-e, --env NAME[=VALUE]", "x").lines())
    assert entry[1] == r"\fB\-e\fR, \fB\-\-env\fR \fINAME\fR[=\fIVALUE\fR]"
