"""Tests for a bootstrap whose shell leads a process group, however it was started."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rdo.remote_sh.bootstrap import bootstrap, led
from tests.unit.remote_sh.shells import TIMEOUT, as_bin_sh, each_shell

SHELLS = [shell for shell in ("sh", "bash", "zsh", "fish", "tcsh", "mksh", "busybox") if shutil.which(shell)]


@pytest.mark.parametrize("leads", [True, False], ids=["which leads one", "which leads none"])
@pytest.mark.parametrize("login", [True, False], ids=["login", "plain login"])
@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_leads_its_group_and_reads_its_script(shell: str, login: bool, leads: bool, tmp_path: Path) -> None:
    text = led(bootstrap("nonce", pty=False, login=login))
    argv = [shell, *(["sh"] if shell == "busybox" else []), "-c", text]
    done = subprocess.run(
        argv,
        input="ps -o pid=,pgid= -p $$; exit 7\n",
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        start_new_session=leads,
        env={"PATH": os.environ["PATH"], "SHELL": "/bin/sh", "HOME": str(tmp_path)},
    )
    assert done.returncode == 7
    ready, found = done.stdout.splitlines()[-2:]
    pid, group = found.split()
    assert ready.split()[:2] == ["nonce", pid]
    assert pid == group


def test_a_bootstrap_for_a_plain_login_shell_leads_a_group_too() -> None:
    text = led(bootstrap("nonce", pty=False, login=False, plain=True))
    done = subprocess.run(
        ["sh", "-c", text], input="kill -0 -$$ && exit 7\n", capture_output=True, text=True, timeout=TIMEOUT
    )
    assert done.returncode == 7


def test_without_setsid_the_script_still_runs() -> None:
    text = led(bootstrap("nonce", pty=False, login=False))
    words, bare = ["/bin/sh", "-c", text], {"PATH": "/nowhere"}
    done = subprocess.run(words, input="exit 7\n", capture_output=True, text=True, timeout=TIMEOUT, env=bare)
    assert done.returncode == 7


@each_shell
@pytest.mark.parametrize("leads", [True, False], ids=["which leads one", "which leads none"])
def test_every_shell_that_may_be_bin_sh_leads_its_group(shell: str, leads: bool) -> None:
    text = as_bin_sh(shell, led(bootstrap("nonce", pty=False, login=False)))
    done = subprocess.run(
        ["/bin/sh", "-c", text],
        input="ps -o pid=,pgid= -p $$; exit 7\n",
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        start_new_session=leads,
    )
    pid, group = done.stdout.splitlines()[-1].split()
    assert (pid, done.returncode) == (group, 7)
