"""Tests for invalid behaviour of a server: one clear line, one login, bounded memory and time; or it works anyway."""

from __future__ import annotations

import random
import re
import resource
import sys
from pathlib import Path

import pytest
from paramiko import common
from paramiko.message import Message

from rdo.drivers.base import STDOUT, ChannelRefused
from rdo.drivers.ssh import paramiko_adapter
from rdo.drivers.ssh.auth import userauth
from rdo.errors import ConnectError, LinkLost, printable
from tests import soak
from tests.e2e.project import make_project
from tests.integration.conftest import Connect
from tests.odd_server import OddServer, Talk, text, uint32
from tests.security.oddities import ODDITIES, Oddity
from tests.soak import Counted
from tests.ssh_client import ScriptedCaller, drain

MEMORY = 48 << 20
"""Bytes by which one server may increase our memory: a few of what is allowed, and the server's part in the same
process.
"""
LONGEST_LINE = 1000


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(userauth, "ANSWER_TIMEOUT", 1.0)
    monkeypatch.setattr(paramiko_adapter, "EXCHANGE_TIMEOUT", 1.0)


def peak() -> int:
    """The largest number of bytes that this process has used so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def meet(oddity: Oddity, directory: Path, connect: Connect) -> None:
    """Run a command on such a server, and compare the result with the expected one."""
    before, caller = peak(), ScriptedCaller(answers=["yes"])
    with OddServer(directory, oddity.raw, dict(oddity.answers), **oddity.preferred) as server:
        try:
            channel = connect(server.ssh_config, caller=caller, connect_timeout=1.0).open_channel("true", None)
            status = channel.exit_status() & 0xFF  # before anything is read, so that only a window may arrive
            outcome: str | tuple[int, bytes] = (status, drain(channel)[STDOUT])
        except (ConnectError, LinkLost, ChannelRefused) as error:
            outcome = printable(str(error))
        assert server.logins == 1
    assert peak() - before < MEMORY
    if isinstance(oddity.expected, tuple):
        assert outcome == oddity.expected
    else:
        assert isinstance(outcome, str)
        assert re.search(oddity.expected, outcome)
        assert len(outcome) < LONGEST_LINE
        assert outcome.isprintable()
    assert all(line.isprintable() for line in caller.told)


@pytest.mark.parametrize("oddity", ODDITIES, ids=lambda oddity: oddity.name.replace(" ", "-"))
def test_an_odd_server_results_in_one_line_and_costs_little(oddity: Oddity, tmp_path: Path, connect: Connect) -> None:
    meet(oddity, tmp_path, connect)


@pytest.mark.soak
def test_any_order_of_such_servers_leaves_nothing_behind(tmp_path: Path, connect: Connect, counted: Counted) -> None:
    chance = random.Random(1)
    for _ in counted("odd servers", range(soak.tries(5, 2000))):
        meet(chance.choice(ODDITIES), tmp_path, connect)


def ready(told: bytes) -> Oddity:
    """Claims that the shell is ready, in a line that a shell would not write."""

    def answer(talk: Talk, message: Message) -> None:
        nonce = re.search(rb'"([0-9a-f]{16}) ', message.asbytes())
        talk.say_on(common.MSG_CHANNEL_SUCCESS)
        if nonce:
            talk.say_on(common.MSG_CHANNEL_DATA, text(nonce[1] + b" " + told + b"\n"))
            talk.say_on(common.MSG_CHANNEL_EXTENDED_DATA, uint32(1) + text(nonce[1] + b"\n"))
            talk.end_well()

    return Oddity(f"ready {told!r}", "", answers={common.MSG_CHANNEL_REQUEST: answer})


FOR_A_COMMAND = (
    "a-disconnection-of-latin-1",
    "four-billion-questions",
    "a-channel-for-messages-of-nothing",
    "a-command-that-is-refused",
    "a-status-that-is-cut-off",
    "output-for-another-channel",
    "ciphers-alone",
)


@pytest.mark.parametrize(
    "oddity",
    [
        *(each for each in ODDITIES if each.name.replace(" ", "-") in FOR_A_COMMAND),
        *map(ready, (b"none /bin/sh", b"0 /bin/sh", b"-1 /bin/sh", b"9" * 99, b"f\xfcr", b"", b"1 /bin/\x1b[2J")),
    ],
    ids=lambda oddity: oddity.name.replace(" ", "-"),
)
def test_a_command_over_such_a_server_fails_in_one_line_after_one_login(
    oddity: Oddity, tmp_path: Path, runtime: dict[str, str]
) -> None:
    with OddServer(tmp_path, oddity.raw, dict(oddity.answers), **oddity.preferred) as server:
        project = make_project(tmp_path, {**runtime, "RDO_SSH_CONFIG": str(server.ssh_config)})
        project.configure(f'driver = "ssh"\nhost = "devbox"\ndirectory = "{project.remote}"\n')
        result = project.run("true")
        assert server.logins == 1
    line = result.stderr.decode()
    assert (result.returncode, result.stdout, line.count("\n")) == (255, b"", 1)
    assert re.search(str(oddity.expected), line)
    assert line.startswith("rdo: ")
    assert line.rstrip("\n").isprintable()
