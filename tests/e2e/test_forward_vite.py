"""Tests a dev server with hot reload that is started by rdo, and a real local browser that shows its page."""

from __future__ import annotations

import json
import queue
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.e2e.project import TIMEOUT, Project
from tests.e2e.served import ask, listens, needs
from tests.leaks import wait_until
from tests.ssh_server import free_port
from tests.tcp_server import server

pytestmark = [pytest.mark.long, needs("npm", "chromium")]

PAGE = '<!doctype html><script type="module" src="/main.js"></script>\n'

MAIN = """\
import { text } from "./text.js"

const loaded = Math.random()
const report = (text) => fetch("http://127.0.0.1:PORT/" + encodeURIComponent(loaded + " " + text), { mode: "no-cors" })

report(text)
if (import.meta.hot) import.meta.hot.accept("./text.js", (changed) => report(changed.text))
"""
"""Reports the text that it shows, and the number of loads of the page."""

BROWSER = (
    "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--remote-debugging-port=0",
)  # fmt: skip


@pytest.fixture(scope="module")
def vite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which npm has installed it."""
    directory = tmp_path_factory.mktemp("vite")
    words = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(directory), "vite"]
    done = subprocess.run(words, capture_output=True, timeout=240, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        pytest.skip(f"npm cannot install vite: {done.stderr.decode()[-200:]}")
    return directory


@pytest.fixture
def reports() -> Iterator[tuple[int, queue.Queue[list[str]]]]:
    """A server to which the page reports: its port, and the reported loads and texts."""
    came: queue.Queue[list[str]] = queue.Queue()

    def serve(connection: socket.socket) -> None:
        path = connection.recv(65536).split()[1].decode()
        came.put(unquote(path.removeprefix("/")).split(" ", 1))
        connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    with server(serve) as port:
        yield port, came


@contextmanager
def browser(url: str, profile: Path) -> Iterator[None]:
    """A browser without a window that shows the page."""
    words = [*BROWSER, f"--user-data-dir={profile}", url]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as it:
        try:
            yield
        finally:
            it.terminate()


def test_a_change_on_the_target_is_shown_at_once_without_loading_the_page_again(
    project: Project, vite: Path, reports: tuple[int, queue.Queue[list[str]]], tmp_path: Path
) -> None:
    port, came = reports
    (project.remote / "index.html").write_text(PAGE)
    (project.remote / "main.js").write_text(MAIN.replace("PORT", str(port)))
    (project.remote / "text.js").write_text('export const text = "first"\n')
    here, there = free_port(), free_port()
    program = vite / "node_modules/.bin/vite"
    words = (str(program), "--host", "127.0.0.1", "--port", str(there), "--strictPort")
    with project.start("-L", f"{here}:localhost:{there}", *words) as command:
        assert wait_until(lambda: listens(there), TIMEOUT)
        with browser(f"http://localhost:{here}/", tmp_path / "profile"):
            loaded, text = came.get(timeout=TIMEOUT)
            assert text == "first"
            for text in ("second", "third"):
                (project.remote / "text.js").write_text(f'export const text = "{text}"\n')
                assert came.get(timeout=TIMEOUT) == [loaded, text]
            (forward,) = json.loads(project.shell("rdoctl ports --json").stdout)
            assert forward["open"] >= 1, "the page is told of changes over a connection of its own"
        assert ask("curl", "-sS", f"http://localhost:{here}/text.js").stdout.startswith(b'export const text = "third"')
        command.terminate()
