"""A caller whose browser records what it is to open, for the tests of `open_browser`."""

from __future__ import annotations

import shlex
import socket
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tests.e2e.project import TIMEOUT, Project, ssh_config_text
from tests.e2e.terminal import Terminal
from tests.leaks import wait_until

URL = "https://example.com/a?b=c&d='e'$(f)#g"

ASK, YES = 'open_browser = "ask"\n', 'open_browser = "yes"\n'


@dataclass(frozen=True)
class Opening:
    """A project whose caller has a browser that records what it is to open."""

    project: Project
    record: Path

    @property
    def opened(self) -> list[str]:
        return self.record.read_text().splitlines() if self.record.exists() else []

    def terminal(self, command: str) -> Terminal:
        return Terminal(["bash", "-c", command], self.project.local, self.project.environment)


def opening(project: Project, directory: Path, config: str | None = None) -> Opening:
    browser, record = directory / "browser", directory / "opened"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >>{shlex.quote(str(record))}\n')
    browser.chmod(0o755)
    if config is not None:
        project.configure(ssh_config_text(project, config))
    return Opening(replace(project, environment={**project.environment, "BROWSER": str(browser)}), record)


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def press(terminal: Terminal, key: str, until: str) -> None:
    """Press a key until the text shows, because the first keys still go to the command."""

    def shows() -> bool:
        terminal.type(key)
        terminal._read(0.2)
        return until in terminal.seen

    assert wait_until(shows, TIMEOUT), terminal.seen
    terminal.expect(until)
