"""Plays the transcripts of README and docs/: each of their commands, in a real shell, in a separate project."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.document import PAGES, README, Block, Document, Step, steps
from tests.e2e.project import Project

LOCAL_HOME, REMOTE = "/home/me", "/srv/myapp"
"""The home directory and the directory on the target in the pages."""

END = "--- status "
"""A marker after the output of each command of a transcript, which no command prints."""

SSH = next(block.text for block in README.blocks("toml") if 'driver = "ssh"' in block.text)
"""The config of the quick start, for transcripts that show none."""

MAKEFILE = """\
bootstrap:
\t@echo "bootstrap: in $$(pwd)"
\t@echo "bootstrap: done"
where:
\techo "recipe: $$(pwd)"
test:
\ttest ! -e broken
"""


def shown(page: Document) -> list[tuple[Block, str]]:
    """Each transcript of a page, with the last config before it, or that of README's quick start."""
    found, config = [], SSH
    for block in page.blocks("toml", "console"):
        if block.kind == "toml":
            config = block.text
        else:
            found.append((block, config))
    return found


def cases(*names: str) -> pytest.MarkDecorator:
    """The transcripts of these pages."""
    pages = [page for page in PAGES if page.path.stem in names]
    parts = [pytest.param(*each, id=f"{page.path.stem}: {each[0]}") for page in pages for each in shown(page)]
    return pytest.mark.parametrize(("block", "config"), parts)


def prepare(environment: Mapping[str, str], remote: Path | None) -> Project:
    """Move the project to the path in the pages, and add what they use. `remote` overrides the directory on the
    target.
    """
    local = Path(environment["HOME"], "myapp")
    for directory in filter(None, (local, remote)):
        (directory / "src").mkdir(parents=True)
        for below in (directory, directory / "src"):
            (below / "Makefile").write_text(MAKEFILE)
    local.with_name("newapp").mkdir()
    (remote or local).joinpath("names.txt").touch()
    return Project(local, remote or local, environment)


def play(project: Project, block: Block, replaced: Mapping[str, str]) -> None:
    """Play a transcript. Fails if the output differs, or a status is not 0.

    `replaced` are texts of the page that differ here. If the transcript shows a config, that one is used.
    """
    played = _run(project, found := steps(in_place(block.text, replaced)))
    assert len(played) == len(found), played
    for step, (output, status) in zip(found, played, strict=True):
        ended = output + "\n" if output and not output.endswith("\n") else output
        assert step.pattern.fullmatch(ended), f"$ {step.command}\n{output}"
        assert status == 0, step.command


def in_place(text: str, replaced: Mapping[str, str]) -> str:
    """A text of a page with the real values."""
    for shown, real in replaced.items():
        text = text.replace(shown, real)
    return text


def _run(project: Project, steps: list[Step]) -> list[tuple[str, int]]:
    """Output and exit status of each command, which are typed into one shell."""
    for step in steps:
        if step.command == "cat .rdo.conf":
            project.configure(step.output)
    lines = [f"{step.command}\nrdo_s=$?; echo '{END}'$rdo_s; (exit $rdo_s)" for step in steps]
    output = project.shell("exec 2>&1\n" + "\n".join(lines)).stdout.decode()
    found = re.findall(rf"(.*?){END}(\d+)\n", output, re.DOTALL)
    return [(text, int(status)) for text, status in found]
