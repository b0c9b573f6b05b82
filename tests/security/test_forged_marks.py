"""Tests for another user of the target who reads argument lists, and writes forged marks into a command's output."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rdo.remote_sh.script import Script
from tests.e2e.masters import stop
from tests.e2e.project import TIMEOUT, ssh_project
from tests.e2e.reached import Reached
from tests.soak import Counted, tries
from tests.sshd import Sshd
from tests.unit.remote_sh.shells import SECRET, each_shell
from tests.unit.remote_sh.terminal import terminal

NONCE = re.compile(rb'echo "([0-9a-f]{16}) ')
"""The nonce in the arguments of a shell that rdo has started on the target."""

OUTSIDER = "nobody"

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="root alone can become somebody else")


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process in its own group that does not belong to rdo."""
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as process:
        yield process
        assert process.poll() is None
        process.kill()


def nonces() -> set[bytes]:
    """What another user can see of rdo's shells."""
    listing = subprocess.run(["ps", "-A", "-ww", "-o", "args="], capture_output=True, check=True, user=OUTSIDER)
    return set(NONCE.findall(listing.stdout))


def forgeries(group: int) -> bytes:
    """Marks with everything that an argument list shows."""
    texts = [f"group;{number}" for number in (group, 1, 0, -1, f"{group};{group}")] + ["ready", "stopped", ""]
    starts = [*nonces(), b"", b"0" * 16, b"0" * 32]
    ends = (b"\a", b"\a\n", b"\a\r\n")
    forged = [b"\033]rdo;%b;%b" % (start, text.encode()) for start in starts for text in texts]
    return b"".join(mark + end for mark in forged for end in ends)


def read_until(command: subprocess.Popen[bytes], wanted: bytes) -> bytes:
    """Read a command's output up to the expected text."""
    assert command.stdout
    shown = b""
    deadline = time.monotonic() + TIMEOUT
    while wanted not in shown:
        assert select.select([command.stdout], [], [], max(0.0, deadline - time.monotonic()))[0], shown[-200:]
        data = os.read(command.stdout.fileno(), 65536)
        assert data, shown[-200:]
        shown += data
    return shown


@pytest.mark.soak
@pytest.mark.usefixtures("lent")
def test_marks_from_another_user_are_printed_and_not_obeyed(
    reached: Reached, bystander: subprocess.Popen[bytes], counted: Counted
) -> None:
    log = Path(reached.project.local if reached.project.takes_long else reached.directory) / "log"
    log.write_bytes(b"")
    for number in counted("forged marks", range(tries(1, 100))):
        script = ("sh", "-c", 'echo up; exec tail -n 0 -f "$1"', "sh", reached.directory + "/log")
        with reached.project.start("-t", *script) as command, ExitStack() as stack:
            stack.callback(command.kill)
            read_until(command, b"up\r\n")
            marks = forgeries(bystander.pid) + b"end %d\n" % number
            with log.open("ab") as file:
                subprocess.run(["cat"], input=marks, stdout=file, check=True, user=OUTSIDER)
            shown = read_until(command, b"end %d\r\n" % number)
            assert shown.replace(b"\r", b"").endswith(marks.replace(b"\r", b""))
            command.send_signal(signal.SIGTERM if number % 2 else signal.SIGKILL)
            command.communicate(timeout=TIMEOUT)
        assert reached.project.run("true").returncode == 0
        assert bystander.poll() is None


@pytest.mark.usefixtures("lent")
def test_a_forged_stop_stops_nobody_and_forged_readiness_is_no_group(reached: Reached) -> None:
    marks = forgeries(2**22 + 1).replace(b"\033", b"\\033").replace(b"\a", b"\\a").replace(b"\n", b"\\n").decode()
    shown = reached.project.run("-t", "printf", marks + "end\\n")
    assert (shown.returncode, shown.stdout.count(b";stopped\a") > 0) == (0, True)
    assert shown.stdout.endswith(b"end\r\n")


FORGED_READY = r"""
tr '\0' '\n' </proc/$$/cmdline | sed -n 's/.*echo "\([0-9a-f]\{16\}\) .*/\1 GROUP \/bin\/sh/p' | head -n 1
"""


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="there is no /proc")
@pytest.mark.parametrize("option", ["-T", "-t"], ids=["without a pty", "with a pty"])
def test_a_shell_that_claims_to_be_ready_has_to_prove_it(
    own_sshd: Callable[..., Sshd],
    tmp_path: Path,
    runtime: dict[str, str],
    bystander: subprocess.Popen[bytes],
    option: str,
) -> None:
    """A start-up file may print what others write, and the nonce is in the arguments of the shell that reads it."""
    server = own_sshd().start()
    (server.home / ".bashrc").write_text(FORGED_READY.replace("GROUP", str(bystander.pid)))
    project = ssh_project(tmp_path, runtime, server)
    for end in (signal.SIGTERM, signal.SIGKILL):
        script = "trap 'exit 7' TERM; echo up; while :; do sleep 0.1; done"
        with project.start(option, "sh", "-c", script) as command, ExitStack() as stack:
            stack.callback(command.kill)
            read_until(command, b"up")
            command.send_signal(end)
            command.communicate(timeout=TIMEOUT)
            assert command.returncode == (7 if end == signal.SIGTERM else -signal.SIGKILL)
    stop(project)
    assert bystander.poll() is None


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@each_shell
def test_no_program_gets_the_secret_as_an_argument_or_in_its_environment(shell: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    trace = ["strace", "-D", "-f", "-v", "-s", "4096", "-e", "trace=execve", "-o", str(log)]
    with terminal(shell, Script(["sh", "-c", "echo up; read x"]), before=trace) as started:
        started.wait_for(b"up\r\n")
        started.write(b"x\n")
        assert started.end()[1] == 0
    text = log.read_text()
    assert text.count("execve(") >= 3
    assert SECRET not in text
