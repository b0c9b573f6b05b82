"""Tests for browser.sh and open_url.sh with each shell: URLs that a command opens on the target are passed on, and
answered.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.leaks import wait_until
from tests.processes import group_lives
from tests.unit.remote_sh.browser_holder import URL, held, is_read, text
from tests.unit.remote_sh.shells import TIMEOUT, each_shell

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not


@each_shell
@pytest.mark.parametrize("name", ["browser", "xdg-open", "open", "sensible-browser", "www-browser"])
def test_a_url_is_passed_on_with_its_token_and_the_answer_is_the_status(shell: str, name: str, tmp_path: Path) -> None:
    with held(shell, tmp_path) as holder:
        assert stat.S_IMODE(holder.top.stat().st_mode) == 0o700
        assert stat.S_IMODE((holder.top / "urls").stat().st_mode) == 0o600
        for status in (0, 4):
            with holder.open(name, "--new", URL, "-x") as program:
                number, rest = holder.next()
                assert (number, rest) == (program.pid, f"secret {URL}")
                assert program.poll() is None
                holder.answer(number, status)
                assert program.wait(TIMEOUT) == status
        assert wait_until(lambda: {path.name for path in holder.top.iterdir()} == {"bin", "urls"}, TIMEOUT)


@each_shell
def test_its_path_is_printed_when_nothing_can_be_lost_any_more(shell: str, tmp_path: Path) -> None:
    near, far = os.pipe()
    os.set_blocking(far, False)
    with suppress(BlockingIOError):
        while True:
            os.write(far, b"x" * 4096)
    os.set_blocking(far, True)
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with (
        open(near, "rb") as output,
        subprocess.Popen(text(shell, tmp_path), stdin=subprocess.PIPE, stdout=far, env=environment) as process,
    ):
        os.close(far)
        is_held = wait_until(lambda: any(map(is_read, tmp_path.glob("rdo-*/urls"))), TIMEOUT)
        assert process.stdin
        process.stdin.close()
        assert output.read().strip(b"x\n").startswith(bytes(tmp_path))
        assert is_held


@each_shell
def test_other_arguments_go_to_the_next_program_of_that_name(shell: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "xdg-open").write_text('#!/bin/sh\nprintf "<%s>" "$@" >&2\nexit 7\n')
    (other / "xdg-open").chmod(0o755)
    with held(shell, tmp_path) as holder:
        path = f"{holder.top}/bin::{tmp_path}/missing:{other}:/usr/bin:/bin"
        for words in (["a b.html", "*"], ["file:///etc/passwd"], ["javascript:alert(1)"], ["http:a\nb"], ["ftp://x/"]):
            with holder.open("xdg-open", *words, PATH=path) as program:
                shown = "".join(f"<{word}>" for word in words)
                assert program.communicate(timeout=TIMEOUT)[1] == shown.encode()
                assert program.returncode == 7
        with holder.open("xdg-open", URL, PATH=path, RDO_BROWSER="") as program:
            assert program.wait(TIMEOUT) == 7
        with holder.open("xdg-open", "http://a\nhttp://b", PATH=path) as program:
            assert program.wait(TIMEOUT) == 7
        with holder.open("browser", "a.html", PATH=f"{holder.top}/bin:/usr/bin:/bin") as program:
            _, said = program.communicate(timeout=TIMEOUT)
            assert said.startswith(b"browser: rdo opens only URLs of http and https")
            assert program.returncode == 4


@each_shell
def test_long_urls_of_many_programs_are_not_mixed_up(shell: str, tmp_path: Path) -> None:
    urls = {f"http://localhost/{number}/" + f"{number:04}" * 2000 for number in range(12)}
    with held(shell, tmp_path) as holder, ExitStack() as stack:
        programs = [stack.enter_context(holder.open("xdg-open", url)) for url in urls]
        seen = set()
        for _ in urls:
            number, rest = holder.next()
            holder.answer(number, 0)
            seen.add(rest)
        assert seen == {f"secret {url}" for url in urls}
        assert {program.wait(TIMEOUT) for program in programs} == {0}


@each_shell
@pytest.mark.parametrize("how", ["the end of stdin", "TERM"])
def test_at_the_end_waiting_programs_are_answered_and_nothing_is_left(shell: str, how: str, tmp_path: Path) -> None:
    with held(shell, tmp_path) as holder:
        with holder.open("xdg-open", URL) as program:
            holder.next()
            if how == "TERM":  # there may be more than one
                for _ in range(20):
                    os.killpg(holder.process.pid, signal.SIGHUP)
                    os.killpg(holder.process.pid, signal.SIGTERM)
            else:
                assert holder.process.stdin
                holder.process.stdin.close()
            assert program.wait(TIMEOUT) == 4
        holder.process.wait(TIMEOUT)
        assert not holder.top.exists()
        assert wait_until(lambda: not group_lives(holder.process.pid), TIMEOUT)


def ends_if_told_again(process: subprocess.Popen[bytes]) -> bool:
    process.send_signal(signal.SIGTERM)
    return process.poll() is not None


@each_shell
def test_a_signal_while_it_starts_ends_it_with_all_its_processes(shell: str, tmp_path: Path) -> None:
    for _ in range(10):
        with held(shell, tmp_path) as holder:
            for _ in range(3):
                holder.process.send_signal(signal.SIGTERM)
            if shell == "posh":  # it may not notice a signal that arrives just as it begins to wait
                assert wait_until(lambda: ends_if_told_again(holder.process), TIMEOUT)
            holder.process.wait(TIMEOUT)
            assert wait_until(lambda: not group_lives(holder.process.pid), TIMEOUT)


@each_shell
def test_when_it_is_killed_waiting_programs_are_answered_too(shell: str, tmp_path: Path) -> None:
    with held(shell, tmp_path) as holder:
        assert holder.process.stdin
        with holder.open("xdg-open", URL) as program:
            holder.next()
            holder.process.kill()
            assert program.wait(TIMEOUT) == 4
        holder.process.wait(TIMEOUT)
        assert wait_until(lambda: not holder.top.exists(), TIMEOUT)
        holder.process.stdin.close()
        assert wait_until(lambda: not group_lives(holder.process.pid), TIMEOUT)


@each_shell
def test_a_program_whose_rdo_is_gone_fails_without_waiting(shell: str, tmp_path: Path) -> None:
    with held(shell, tmp_path) as holder:
        kept = shutil.copytree(holder.top / "bin", tmp_path / "kept" / "bin", symlinks=True)
        os.mkfifo(kept.parent / "urls")
    with subprocess.Popen([kept / "xdg-open", URL], env={**os.environ, "RDO_BROWSER": "secret"}) as program:
        assert program.wait(TIMEOUT) == 4


@each_shell
def test_an_impossible_line_is_skipped(shell: str, tmp_path: Path) -> None:
    with held(shell, tmp_path) as holder:
        with (holder.top / "urls").open("w") as urls:
            urls.write("../../etc/passwd\n\n99999999\n-1\n*\n")
        holder.answer(99999999, 0)
        with holder.open("xdg-open", URL) as program:
            number, _ = holder.next()
            assert number == program.pid
            holder.answer(number, 0)


@each_shell
@pytest.mark.parametrize("place", ["relative", "/missing", "{tmp}/a b", "{tmp}/a:b", "{tmp}/a%s"])
def test_a_directory_that_cannot_be_in_path_and_browser_is_not_used(shell: str, place: str, tmp_path: Path) -> None:
    directory = Path(place.format(tmp=tmp_path))
    if "{tmp}" in place:
        directory.mkdir()
    with held(shell, tmp_path, TMPDIR=str(directory)) as holder:
        assert str(holder.top).startswith("/tmp/rdo-")


@each_shell
def test_without_a_directory_for_it_it_prints_an_empty_line(shell: str, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("mktemp", "rm", "mkdir", "[", "printf", "echo"):
        (programs / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        text(shell, tmp_path),
        env={"TMPDIR": str(tmp_path), "PATH": str(programs)},
        capture_output=True,
        timeout=TIMEOUT,
    )
    assert (done.stdout, done.returncode) == (b"\n", 1)
    assert list(tmp_path.glob("rdo-*")) == []
