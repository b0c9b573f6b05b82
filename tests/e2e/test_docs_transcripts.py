"""Plays the transcripts of docs/ on the kind of target that each page is about. Those about Vagrant are in
test_vagrant_machine.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import require
from tests.docker_engine import DockerEngine
from tests.e2e import transcript
from tests.e2e.document import PAGES, Block
from tests.e2e.project import Project
from tests.e2e.transcript import cases
from tests.sshd import Sshd

HISTORY = """\
git init --quiet .
git add Makefile
git commit --quiet --message=Begin && git tag v1.0
touch broken && git add broken && git commit --quiet --message=Break
touch more && git add more && git commit --quiet --message=More
"""
"""Creates commits, of which the second one fails `make test`."""

TRY = """\
#!/bin/sh
rsync --archive --delete --exclude=.git -e rdo-rsh ./ : || exit 255
exec rdo make test
"""


OTHERS = ("vagrant", "docker", "compose")


@cases(*(page.path.stem for page in PAGES if page.path.stem not in OTHERS))
def test_on_a_host_with_ssh(tmp_path: Path, runtime: dict[str, str], sshd: Sshd, block: Block, config: str) -> None:
    for tool in ("git", "rsync"):
        if f"{tool} " in block.text and shutil.which(tool) is None:
            require(tool, "it is not installed")
    there = tmp_path / "there"
    project = transcript.prepare({**runtime, "RDO_SSH_CONFIG": str(sshd.ssh_config())}, there)
    home = Path(project.environment["HOME"])
    (home / ".gitconfig").write_text("[user]\nname = me\nemail = me@example.com\n")
    if "bisect" in block.text:
        (home / "try").write_text(TRY)
        assert project.shell(HISTORY).returncode == 0
    replaced = {transcript.REMOTE: str(there), transcript.LOCAL_HOME: str(home), "checkout": str(tmp_path / "checkout")}
    project.configure(transcript.in_place(config, replaced))
    transcript.play(project, block, replaced)


@contextmanager
def container(engine: DockerEngine, project: Project, **options: Any) -> Iterator[None]:
    """The container that the pages start, with the image of the tests."""
    with engine.container(mounts={project.local: transcript.REMOTE}, **options):
        yield


@cases("docker", "compose")
def test_in_docker(runtime: dict[str, str], docker_engine: DockerEngine, block: Block, config: str) -> None:
    project = transcript.prepare({**runtime, "DOCKER_HOST": docker_engine.host}, None)
    replaced = {transcript.LOCAL_HOME: runtime["HOME"], "python:3.12": docker_engine.image()}
    project.configure(transcript.in_place(config, replaced))
    prefix = "com.docker.compose"
    labels = {
        f"{prefix}.service": "web",
        f"{prefix}.container-number": "1",
        f"{prefix}.project.working_dir": str(project.local),
    }
    with container(docker_engine, project, name="web-1", labels=labels):
        transcript.play(project, block, replaced)
