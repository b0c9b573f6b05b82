"""Tests for the modes of the caller's terminal: read from a real one, and as arguments for a real stty."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import termios
from collections.abc import Iterator

import pytest

from rdo.errors import RdoError
from rdo.ipc import terminal_modes
from rdo.remote_sh import script

IFLAG, OFLAG, LFLAG, CC = 0, 1, 3, 6

TIMEOUT = 10.0
"""Seconds for stty to end."""

STTY = [
    pytest.param(words, marks=pytest.mark.skipif(not shutil.which(words[0]), reason="not there"), id=" ".join(words))
    for words in (["stty"], ["busybox", "stty"])
]


@pytest.fixture
def terminal() -> Iterator[int]:
    near, far = pty.openpty()
    yield far
    os.close(near)
    os.close(far)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        pytest.param(b"", [], id="none"),
        pytest.param(b"intr=3", [("intr", "^C")], id="a control character"),
        pytest.param(b"erase=127", [("erase", "^?")], id="DEL"),
        pytest.param(b"quit=28 susp=31", [("quit", "^\\"), ("susp", "^_")], id="keys that are no letters"),
        pytest.param(b"kill=64 eof=39", [("kill", "@"), ("eof", "'")], id="characters"),
        pytest.param(b"intr=undef", [("intr", "undef")], id="no key"),
        pytest.param(b"ixon=0 iutf8=1", [("-ixon",), ("iutf8",)], id="flags"),
    ],
)
def test_each_mode_is_an_argument_of_stty(sent: bytes, words: list[tuple[str, ...]]) -> None:
    assert list(script.mode_settings(sent)) == words


@pytest.mark.parametrize(
    "sent", [b"x", b"intr", b"intr=", b"intr=0", b"intr=128", b"intr=-1", b"ixon=2", b"ixon=undef", b"rows=1", b"\xff"]
)
def test_an_invalid_mode_never_reaches_stty(sent: bytes) -> None:
    with pytest.raises(RdoError, match="is not a terminal mode"):
        list(script.mode_settings(b"ixon=1 " + sent))


def test_a_file_that_is_not_a_terminal_has_no_modes() -> None:
    here, there = os.pipe()
    assert terminal_modes.read(here) == b""
    os.close(here)
    os.close(there)


@pytest.mark.parametrize("stty", STTY)
@pytest.mark.parametrize("turned", [False, True], ids=["as usual", "each the other way"])
def test_all_modes_arrive_on_another_terminal(terminal: int, stty: list[str], turned: bool) -> None:
    there = termios.tcgetattr(terminal)
    own = termios.tcgetattr(terminal)
    if turned:
        for index, names in terminal_modes.FLAGS.items():
            for name in names:
                own[index] ^= getattr(termios, name.upper())
        own[IFLAG] ^= terminal_modes._IUTF8
        for number, name in enumerate(terminal_modes.CHARACTERS.values()):
            if (position := getattr(termios, name, None)) is not None:
                own[CC][position] = bytes([number * 8 + 1])
        own[CC][termios.VINTR] = bytes([os.fpathconf(terminal, "PC_VDISABLE")])
        own[CC][termios.VERASE] = b"\x7f"
    termios.tcsetattr(terminal, termios.TCSANOW, own)
    sent = terminal_modes.read(terminal)
    termios.tcsetattr(terminal, termios.TCSANOW, there)
    words = [word for words in script.mode_settings(sent) for word in words]
    subprocess.run([*stty, *words], stdin=terminal, check=True, timeout=TIMEOUT)
    assert terminal_modes.read(terminal) == sent


def test_a_key_that_stty_cannot_express_is_not_sent(terminal: int) -> None:
    own = termios.tcgetattr(terminal)
    own[CC][termios.VKILL] = b"\xe9"
    termios.tcsetattr(terminal, termios.TCSANOW, own)
    assert b"kill=" not in terminal_modes.read(terminal)
