"""Tests for callers with unusual stdin, descriptors or locales: there is never a traceback or warning of Python."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.project import Project, local_project

pytestmark = pytest.mark.usefixtures("lent")

LOCALES = ("ja_JP.EUC-JP", "zh_CN.GBK", "zh_TW.BIG5", "en_US.ISO-8859-1", "ru_RU.KOI8-R", "tr_TR.ISO-8859-9")

BYTES = b"\xa4\xa2 \xc3\xa9 \xff\x81 \xe6\xbc\xa2"
"""Text in EUC-JP, UTF-8, no encoding at all, and UTF-8 again."""


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    return local_project(tmp_path, runtime)


@pytest.fixture
def locales(name: str, tmp_path: Path) -> Path:
    """A directory for LOCPATH with that locale, if it is one of ours. Creating one takes most of a second."""
    if not shutil.which("localedef") or not Path("/usr/share/i18n/charmaps").exists():
        require("locales", "localedef or its sources are not installed")
    directory = tmp_path / "locales"
    directory.mkdir()
    if name in LOCALES:
        language, _, charset = name.partition(".")
        command = ["localedef", "--no-archive", "-i", language, "-f", charset, str(directory / name)]
        subprocess.run(command, check=False, capture_output=True)  # warnings count as failures
    return directory


@pytest.mark.parametrize("name", [*LOCALES, "C", "POSIX", "C.UTF-8", "no_SUCH.locale", "UTF-8", ""])
def test_arguments_output_and_paths_are_bytes_in_any_locale(project: Project, locales: Path, name: str) -> None:
    directory = os.fsencode(project.local) + b"/" + BYTES
    os.mkdir(directory)
    os.mkdir(os.fsencode(project.remote) + b"/" + BYTES)
    env = {**project.environment, "LOCPATH": str(locales), "LC_ALL": name, "V": os.fsdecode(BYTES)}
    command = project.command("-e", "V", "sh", "-c", 'printf "%s\\n" "$1" "$V" "$PWD"', "sh", BYTES)
    found = subprocess.run(command, cwd=directory, env=env, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    assert (found.returncode, found.stderr) == (0, b"")
    assert found.stdout == b"\n".join((BYTES, BYTES, os.fsencode(project.remote) + b"/" + BYTES, b""))
    for words in (("rdoctl", "status"), ("rdoctl", "explain", BYTES), ("rdo", "--help"), ("rdo", "--version")):
        shown = subprocess.run(
            words, cwd=directory, env=env, capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
        assert (shown.returncode, shown.stderr) == (0, b""), words
    wrong = subprocess.run([*project.command("--dir", "/nowhere"), BYTES], cwd=directory, env=env, capture_output=True)
    assert (wrong.returncode, wrong.stderr.count(b"\n")) == (255, 1)
    assert b"Traceback" not in wrong.stderr


REMOVED = 'mkdir gone; cd gone; rmdir "$OLDPWD/gone"; '


@pytest.mark.parametrize("variables", ["", "SSH_AUTH_SOCK=x DOCKER_HOST=unix://y "])
@pytest.mark.parametrize(
    "line",
    ["rdo true", "rdo -C . true", "rdo --project . true", "rdo --watch true", "RDO_ON_TARGET=/x:default rdo true",
     "rdo-rsh '' true", "rdoctl init", "rdoctl explain true"],
)  # fmt: skip
def test_a_removed_working_directory_is_reported_in_one_line(project: Project, line: str, variables: str) -> None:
    found = project.shell(f"{REMOVED} {variables} {line}")
    said = [each for each in found.stderr.decode().splitlines() if not each.startswith("sh: 0:")]  # dash's own
    expected = "cannot determine the working directory: no such file or directory; `cd` to a directory that exists"
    assert (found.returncode, said) == (255, [f"{line.split()[0] if line.startswith('rdoctl') else 'rdo'}: {expected}"])


def test_a_shim_works_from_a_working_directory_that_was_removed(project: Project) -> None:
    assert project.shell("rdoctl shim add pwd").returncode == 0
    found = project.shell(f"{REMOVED} '{project.local}/.rdo/bin/pwd'")
    assert (found.returncode, found.stdout.decode()) == (0, f"{project.local}\n")
    for words in (f"--project '{project.local}'", f"-C '{project.local}'", "-C .."):
        found = project.shell(f"{REMOVED} SSH_AUTH_SOCK=x rdo {words} pwd")
        assert (found.returncode, found.stdout.decode(), found.stderr) == (0, f"{project.remote}\n", b"")


@pytest.mark.parametrize("home", ["/nonexistent", "relative", "", "/dev/null"])
def test_a_missing_home_directory_does_not_matter(project: Project, home: str) -> None:
    """As in sandboxes of builds, and for users without a login."""
    found = project.run("sh", "-c", "pwd; echo $HOME", env={"HOME": home})
    assert (found.returncode, found.stderr) == (0, b"")
    said = home or pwd.getpwuid(os.geteuid()).pw_dir
    assert found.stdout.decode() == f"{project.remote}\n{said}\n"
    assert project.run("--dir", ".", "pwd", env={"HOME": home}).stdout == (b"/\n" if home else f"{said}\n".encode())


@pytest.mark.parametrize("program", ["rdo cat", "rdo-rsh '' cat", "rdoctl status"])
def test_a_directory_as_stdin_reads_as_empty(project: Project, program: str) -> None:
    """As with ssh: the client cannot read it, and the command sees the end of its input."""
    found = project.shell(f"{program} </tmp")
    assert (found.returncode, found.stderr) == (0, b"")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("program", ["rdo", "rdo-rsh ''", "rdoctl status #"])
def test_closed_descriptors_do_not_matter(project: Project, program: str, closed: str) -> None:
    found = project.shell(f"({program} sh -c 'cat; exit 0' {closed}\n) 2>said; st=$?; cat said; exit $st")
    assert b"Traceback" not in found.stdout
    assert b"Fatal" not in found.stdout
    assert found.returncode == 0


TEXTS = ["rdo --help", "rdo --version", "rdo-rsh --help", "rdo-rsh -G devbox", "rdo-rsh -V 2>&1"]


@pytest.mark.parametrize("line", TEXTS)
def test_an_error_while_printing_a_text_is_one_line(project: Project, line: str) -> None:
    full = project.shell(f"{line.replace('2>&1', '2>/dev/full')} >/dev/full")
    said = b"" if "2>&1" in line else b"rdo: cannot write to stdout: no space left on device\n"
    assert (full.returncode, full.stderr) == (255, said)


@pytest.mark.parametrize("line", TEXTS)
def test_printing_a_text_that_nobody_reads_ends_as_by_sigpipe(project: Project, line: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    found = subprocess.run(
        ["bash", "-c", line], cwd=project.local, env=dict(project.environment), stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    assert (found.returncode, found.stderr) == (141, b"")
