"""Tests for reading an ssh configuration without an ssh program, and for the delays that this avoids for the first
command.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rdo.config.load import load
from rdo.drivers import registry
from rdo.drivers.ssh.config_file import lines
from rdo.drivers.ssh.driver import SshDriver
from rdo.drivers.ssh.query_request import SshQueryRequest
from rdo.errors import ConnectError
from tests.leaks import wait_until

TIMEOUT = 30.0
"""Seconds for an interpreter to start and end on a busy machine."""

PROGRAM = """
import sys
from rdo.drivers.ssh import connector
print(*sys.modules)
from rdo.drivers.ssh.query_request import SshQueryRequest
from rdo.drivers.ssh.config_file import lines
print(*lines(SshQueryRequest("box", ssh_config=sys.argv[1]), {"SHELL": "/bin/sh", "HERE": "yes"}), sep="\\n")
"""


def test_match_exec_works_without_the_library_that_paramiko_runs_it_with(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(
        'Match exec "test $HERE = yes"\n  Port 2201\n'
        "Match exec false\n  User nobody\n"
        "Match exec /no/such/program\n  User somebody\n"
    )
    argv = [sys.executable, "-c", PROGRAM, str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=TIMEOUT)
    loaded, *lines = done.stdout.splitlines()
    assert "paramiko.transport" in loaded.split()
    assert {"asyncio", "unittest", "invoke.context"}.isdisjoint(loaded.split())
    assert "port 2201" in lines
    assert not [line for line in lines if line.startswith("user ")]


def test_match_exec_runs_in_the_directory_where_the_command_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").touch()
    monkeypatch.chdir("/")
    file = write(tmp_path / "config", 'Match exec "test -e here"', "Port 2201")
    assert "port 2201" in lines(SshQueryRequest("box", ssh_config=str(file)), {"PWD": str(tmp_path)})
    assert "port 2201" not in lines(SshQueryRequest("box", ssh_config=str(file)), {"PWD": "/"})


def test_a_slow_match_exec_delays_only_its_caller(tmp_path: Path) -> None:
    waits = "while [ -e held ]; do touch seen; sleep 0.05; done; test $WHO = one"
    file = write(tmp_path / "config", f'Match exec "{waits}"', "Port 2201", 'Match exec "test $WHO = two"', "Port 2202")
    (tmp_path / "held").touch()
    slow, quick = {"PWD": str(tmp_path), "WHO": "one"}, {"PWD": "/", "WHO": "two"}
    with ThreadPoolExecutor() as others:
        waiting = others.submit(lines, SshQueryRequest("box", ssh_config=str(file)), slow)
        assert wait_until((tmp_path / "seen").exists, TIMEOUT)
        assert "port 2202" in lines(SshQueryRequest("box", ssh_config=str(file)), quick)
        assert not waiting.done()
        (tmp_path / "held").unlink()
        assert "port 2201" in waiting.result(TIMEOUT)


def test_after_reading_a_configuration_another_driver_can_be_created(tmp_path: Path) -> None:
    (tmp_path / ".rdo.conf").write_text('driver = "ssh"\nhost = "box"\ndirectory = "/"\n')
    config = load(str(tmp_path / ".rdo.conf"), None, None)
    for _ in range(2):
        made = registry.create(config, {"HOME": str(tmp_path)})
        assert isinstance(made, SshDriver)
        assert made.ssh_query({"HOME": str(tmp_path), "PATH": str(tmp_path)}).options().hostname == "box"


def options(path: Path, host: str = "box") -> dict[str, str]:
    return dict(line.split(" ", 1) for line in lines(SshQueryRequest(host, ssh_config=str(path)), {}))


def write(path: Path, *text: str) -> Path:
    path.write_text("\n".join(text) + "\n")
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("StrictHostKeyChecking YES", ["stricthostkeychecking yes"]),
        ("IdentitiesOnly = Yes # the agent has many", ["identitiesonly yes"]),
        ('RevokedHostKeys "/a b" # stolen', ["revokedhostkeys /a b"]),
        ('UserKnownHostsFile "/a b" /c', ["userknownhostsfile /a b /c"]),
        ("SendEnv A B\nSendEnv C", ["sendenv A", "sendenv B", "sendenv C"]),
        ('SetEnv A=1 "B=x y" C="q\\"r"\nSetEnv D=2', ["setenv A=1", "setenv B=x y", 'setenv C=q"r']),
        ('CertificateFile /a\nCertificateFile "/b c"', ["certificatefile /a", "certificatefile /b c"]),
        ("SendEnv A\nIdentityFile /k", ["sendenv A", "identityfile /k"]),
        ("ConnectTimeout 1m30", ["connecttimeout 90"]),
        ("ConnectTimeout none", ["connecttimeout none"]),
        ("ChallengeResponseAuthentication no", ["kbdinteractiveauthentication no"]),
        ("PubkeyAcceptedKeyTypes ssh-rsa", ["pubkeyacceptedalgorithms ssh-rsa"]),
        ('ProxyCommand nc "a b" # c', ['proxycommand nc "a b" # c']),
    ],
)
def test_lines_are_interpreted_as_by_ssh(text: str, expected: list[str], tmp_path: Path) -> None:
    found = lines(SshQueryRequest("box", ssh_config=str(write(tmp_path / "main", text))), {})
    names = {line.partition(" ")[0] for line in expected}
    assert [line for line in found if line.partition(" ")[0] in names] == expected
    assert ("identityfile ~/.ssh/id_ed25519" in found) == ("IdentityFile" not in text)


def test_what_paramiko_cannot_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match="is not usable: paramiko cannot read it; install an OpenSSH client"):
        options(write(tmp_path / "main", "CanonicalizeHostname yes"))


def test_included_files_are_read_in_place(tmp_path: Path) -> None:
    write(tmp_path / "b.conf", "Host box", "  Port 2201", "  RevokedHostKeys /revoked")
    write(tmp_path / "a.conf", "Host other", "  Port 1", "Host *", "  ConnectTimeout 7")
    main = write(tmp_path / "main", f'Include "{tmp_path}/*.conf"', "Port 3", "Host box", "  User me")
    found = options(main)
    assert (found["port"], found["revokedhostkeys"], found["connecttimeout"]) == ("2201", "/revoked", "7")
    assert found["user"] == "me"
    assert options(main, "third")["port"] == "3"


def test_what_follows_an_include_belongs_to_its_block_again(tmp_path: Path) -> None:
    write(tmp_path / "more", "Port 2201")
    main = write(tmp_path / "main", "Host box", f"  Include {tmp_path}/more {tmp_path}/missing", "  User me")
    assert (options(main)["port"], options(main)["user"]) == ("2201", "me")
    assert "user" not in options(main, "other")
    assert "port" not in options(main, "other")


def test_a_block_within_a_block_is_left_to_ssh(tmp_path: Path) -> None:
    write(tmp_path / "more", "Host *", "  User evil")
    main = write(tmp_path / "main", "Host other", f"  Include {tmp_path}/more")
    with pytest.raises(ConnectError, match="included within `Host other`; install an OpenSSH client"):
        options(main)


@pytest.mark.parametrize(("line", "why"), [("Include {}", "in a loop"), ("Include 'x", "No closing quotation")])
def test_an_invalid_include_is_an_error(line: str, why: str, tmp_path: Path) -> None:
    main = tmp_path / "main"
    write(main, line.format(main))
    with pytest.raises(ConnectError, match=why):
        options(main)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    with pytest.raises(ConnectError, match="is not usable"):
        options(write(tmp_path / "main", f"Include {tmp_path}/directory"))


def test_a_file_that_was_named_and_is_missing_is_an_error_as_with_ssh(tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match=r"`.*missing` is not usable: no such file or directory"):
        options(tmp_path / "missing")


def test_the_system_configuration_is_read_after_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = write(tmp_path / "system", "Host *", "  RevokedHostKeys /revoked")
    monkeypatch.setattr("rdo.drivers.ssh.config_lines.SYSTEM", str(system))
    assert "revokedhostkeys /revoked" in lines(SshQueryRequest("box-of-no-file"), {})
