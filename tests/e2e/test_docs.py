"""Checks README.md, docs/ and the rest of the documentation: links, command lines, configs, and the generated site."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from rdo.config.load import load
from rdo.errors import UsageError
from tests.conftest import require
from tests.e2e import command_lines
from tests.e2e.document import PAGES, README, TOP, Block, Document

FILES = ("SECURITY.md", "PROTOCOL.md", "CHANGELOG.md", "CONTRIBUTING.md", "RELEASING.md")

MAINTAINED = [README, *map(Document, FILES), *PAGES]

CONFIGS = [(page, block) for page in PAGES for block in page.blocks("toml", "ini")]

TIMEOUT = 60.0
"""Seconds for building the site, which takes two."""

documents = pytest.mark.parametrize("document", MAINTAINED, ids=str)


@documents
def test_each_link_leads_to_a_file_and_to_a_heading_of_it(document: Document) -> None:
    for link in document.links():
        name, _, anchor = link.partition("#")
        target = Document(os.path.relpath(document.path.parent / name, TOP)) if name else document
        assert target.path.exists(), link
        assert not anchor or anchor in target.anchors(), link


@documents
def test_each_command_line_has_existing_options_and_commands(document: Document) -> None:
    for line in command_lines.lines(document):
        command_lines.check(line)


def test_a_wrong_command_line_is_detected() -> None:
    line = 'A=1 rdo -p db psql && eval "$(rdoctl shim env)"; rdo-rsh x'
    assert command_lines.check(line) == ["rdoctl", "rdo", "rdo-rsh"]
    for line in ("git bisect run rdo --nonsense x", "x | rdo -Z", "rdo-rsh -Z", "rdo -p"):
        with pytest.raises(UsageError):
            command_lines.check(line)
    for line in ("rdoctl nonsense", "rdoctl stop --al", 'eval "$(rdoctl shim en)"', "rdoctl init --driver tape"):
        with pytest.raises(click.UsageError):
            command_lines.check(line)


@pytest.mark.parametrize(("page", "block"), CONFIGS, ids=lambda part: re.sub(r"\W+", " ", str(part)))
def test_each_config_of_a_page_loads_with_all_of_its_profiles(tmp_path: Path, page: Document, block: Block) -> None:
    path = tmp_path / ".rdo.conf"
    path.write_text(block.text)
    default = load(str(path), None, None)
    assert default.settings.driver
    for profile in default.profiles:
        assert load(str(path), profile, None).settings.driver


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_each_page_is_in_the_site_s_list_and_its_lines_fit(page: Document) -> None:
    assert f": {page.path.name}\n" in (TOP / "mkdocs.yml").read_text()
    assert max(len(line) for line in page.text.splitlines() if not line.startswith("|")) <= 120


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built without a warning."""
    mkdocs = Path(sys.executable).with_name("mkdocs")
    if shutil.which(mkdocs) is None:
        require("mkdocs", "it is not installed")
    made = tmp_path_factory.mktemp("site")
    command: list[str | Path] = [
        mkdocs,
        "build",
        "--quiet",
        "--strict",
        "--config-file",
        TOP / "mkdocs.yml",
        "--site-dir",
        made,
    ]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, timeout=TIMEOUT, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return made


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in PAGES:
        html = (site / page.path.with_suffix(".html").name).read_text()
        assert re.findall(r'<(?:link|script|img|iframe)[^>]*(?:src|href)="(?:https?:)?//[^"]*"', html) == []
    assert "unknown key" in (site / "troubleshooting.html").read_text()
    assert "mutagen" in (site / "index.html").read_text()


def test_the_search_works_if_the_pages_are_opened_as_files(site: Path, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no browser is installed")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"]
    command = [browser, *options, "--virtual-time-budget=10000", "--dump-dom", f"file://{site}/index.html?q=sudo"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert re.search('md-search-result__meta">[1-9][0-9]* matching documents', done.stdout)
