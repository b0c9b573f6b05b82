"""Tests for the .sh files: each shell that may be /bin/sh parses them, as they are and as they are sent."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rdo.remote_sh import template
from tests.unit.remote_sh.shells import SHELLS, TIMEOUT, each_shell

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not

FILES = sorted(path.stem for path in Path(template.__file__).parent.glob("*.sh"))
SENT = [name for name in FILES if name != "shim"]

each_file = pytest.mark.parametrize("name", FILES)

BYTES = {"bootstrap": 60, "job": 550, "lifeline": 1880, "prove": 133}
"""The limits in bytes for the scripts that are sent most often, without their values, since a shell reads them a byte
at a time. Raise them only deliberately.
"""


def read(shell: str, text: str) -> bytes:
    """The shell's messages when it only parses the text."""
    words = [*SHELLS[shell].split(), "-n"]
    done = subprocess.run(words, input=text.encode(), capture_output=True, timeout=TIMEOUT, check=False)
    return done.stderr + (b"" if done.returncode == 0 else b"failed")


@each_shell
@each_file
def test_each_shell_reads_a_file(shell: str, name: str) -> None:
    assert read(shell, template.source(name)) == b""


@each_shell
@pytest.mark.parametrize("name", SENT)
def test_each_shell_reads_the_line_that_is_sent(shell: str, name: str) -> None:
    assert read(shell, template.load(name) + "\n") == b""


@pytest.mark.parametrize("name", SENT)
def test_what_is_sent_is_one_line_of_ascii(name: str) -> None:
    line = template.load(name)
    assert line.isascii()
    assert line.isprintable()


@each_file
def test_a_file_names_the_shell_it_is_for(name: str) -> None:
    lines = template.source(name).splitlines()
    assert lines[0] in ("# shellcheck shell=sh", "#!/bin/sh")


def test_a_short_name_means_the_same_in_every_file() -> None:
    pairs = {pair for name in SENT for pair in template.short_names(template.source(name)).items()}
    longs, shorts = ([pair[at] for pair in pairs] for at in (0, 1))
    assert (len(set(longs)), len(set(shorts))) == (len(pairs), len(pairs)), sorted(pairs)


@pytest.mark.parametrize("name", BYTES)
def test_readable_text_is_minified_for_sending(name: str) -> None:
    assert len(template.load(name)) <= BYTES[name]


def test_a_value_is_not_expanded_again() -> None:
    assert template.fill("@A@ @B@", A="@B@", B="@A@") == "@B@ @A@"


def test_a_place_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        template.fill("@A@")


def test_a_part_may_be_filled_in_before_the_rest() -> None:
    line = template.load("bootstrap", READ_SCRIPT="@NONCE@ read")
    assert line == 'echo "@NONCE@ $$ ${SHELL-}"; echo @NONCE@ >&2; @NONCE@ read'


def run(shell: str, name: str, *words: str, given: bytes = b"", **variables: str) -> tuple[bytes, bytes, int]:
    """Run a text as the argument of `/bin/sh -c`. Returns its output, errors and status."""
    argv = [*SHELLS[shell].split(), "-c", template.load(name, SECONDS="10"), *words]
    argv[0] = str(shutil.which(argv[0]))
    done = subprocess.run(argv, input=given, capture_output=True, env=variables, timeout=TIMEOUT, check=False)
    return done.stdout, done.stderr, done.returncode


@pytest.fixture
def programs(tmp_path: Path) -> str:
    """A PATH in which `sleep` prints its argument."""
    sleep = tmp_path / "sleep"
    sleep.write_text('#!/bin/sh\necho "sleep $*"\n')
    sleep.chmod(0o755)
    return f"{tmp_path}:/usr/bin:/bin"


@each_shell
def test_the_home_directory_is_printed_as_it_is(shell: str, programs: str) -> None:
    assert run(shell, "print_home", HOME="/a b\\n*", PATH=programs) == (b"/a b\\n*\n", b"", 0)


@each_shell
def test_a_container_is_kept_until_its_stdin_ends_and_a_while_longer(shell: str, programs: str) -> None:
    assert run(shell, "hold_container", given=b"a\n\\\n\nb", PATH=programs) == (b"sleep 3\n", b"", 0)


@each_shell
def test_a_script_that_waits_for_a_signal_reports_it(shell: str, programs: str) -> None:
    assert run(shell, "wait_for_signal", PATH=programs) == (b"ready\nsleep 10\n", b"", 0)


@each_shell
def test_the_shell_of_the_target_is_also_found_without_readlink(shell: str, programs: str, tmp_path: Path) -> None:
    assert run(shell, "find_shell", PATH=str(tmp_path)) == (b"/bin/sh\n", b"", 0)
    found = run(shell, "find_shell", PATH=programs)
    assert (found[0].startswith(b"/"), *found[1:]) == (True, b"", 0)
    (tmp_path / "sh").symlink_to("/bin/sh")
    assert run(shell, "find_shell", PATH=str(tmp_path)) == (f"{tmp_path}/sh\n".encode(), b"", 0)
