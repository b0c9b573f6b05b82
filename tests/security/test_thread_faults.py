"""Tests for unexpected errors in threads that outlive a command: those affected are notified, and the next command
works fully.
"""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.e2e.browsing import URL, YES, opening
from tests.e2e.listener import here, server
from tests.e2e.masters import END_TIMEOUT, masters, report
from tests.e2e.project import Project, docker_project, ssh_config_text
from tests.e2e.reached import Box
from tests.e2e.terminal import Terminal
from tests.e2e.test_forward import TEXT, page, web_server
from tests.leaks import wait_until
from tests.security.faulty_master import FaultyMaster, faulty_master
from tests.ssh_server import free_port

LOST = b"rdo: the connection to `devbox` was lost: %s; the command is not run again\n"


def works_again(project: Project, master: FaultyMaster) -> None:
    """Check that the same master serves the next command, that nothing is left of earlier ones, and that it can be
    stopped.
    """
    master.disable_fault()
    assert project.run("echo", "x").stdout == b"x\n"
    assert wait_until(lambda: report(project)["running"] == [], END_TIMEOUT)
    assert report(project)["pid"] == master.pid
    assert project.shell("rdoctl stop --all").stdout.endswith(b"stopped the control master\n")
    assert wait_until(lambda: not masters(project), END_TIMEOUT)


@pytest.mark.parametrize("kind", ["ValueError", "MemoryError", "SystemExit"])
@pytest.mark.parametrize("place", [
    "rdo.drivers.keepalive.Keepalive._next_step",
    "rdo.pool.connection.HeldConnection.settle",
    "rdo.pool.maintenance.Maintenance._evict",
    "rdo.pool.maintenance.Maintenance._refill",
    "rdo.pool.lifeline.Lifeline._read_answers",
    "rdo.master.lifetime.Lifetime._advance",
])  # fmt: skip
def test_a_fault_in_an_unrelated_thread_does_not_affect_commands(
    own: Project, tmp_path: Path, place: str, kind: str
) -> None:
    with faulty_master(own, tmp_path, place, kind) as master:
        for _ in range(3):
            result = own.run("sh", "-c", "read line; echo $line", input=b"hello\n")
            assert (result.stdout, result.stderr, result.returncode) == (b"hello\n", b"", 0)
        assert wait_until(lambda: kind in master.log.read_text(), END_TIMEOUT)
        works_again(own, master)


@pytest.mark.parametrize("then", ["echo $line", "(sleep 0.3; echo $line) & exit"], ids=["as usual", "after the status"])
def test_a_fault_in_one_command_s_channel_ends_no_other(own: Project, tmp_path: Path, then: str) -> None:
    with faulty_master(own, tmp_path, "rdo.master.output_pump.OutputPump._offer", "ValueError") as master:
        master.disable_fault()
        with own.start("sh", "-c", "echo up; cat") as other:
            other.expect_up()
            master.enable_fault()
            # Its input comes when the master is ready to pass on its output.
            result = own.run("-T", "sh", "-c", f"read line; {then}", input=b"x\n")
            why = b"internal error in the control master: ValueError: planted"
            assert (result.stdout, result.returncode) == (b"", 255)
            assert why in result.stderr
            assert result.stderr.count(b"\n") == 1
            master.disable_fault()
            assert other.communicate(b"y\n") == (b"y\n", b"")
            assert other.returncode == 0
        works_again(own, master)


def test_a_fault_in_a_shared_part_of_channels_ends_the_connection_with_a_message(own: Project, tmp_path: Path) -> None:
    place = "rdo.drivers.ssh.channel_table.ChannelTable.hand"
    with faulty_master(own, tmp_path, place, "MemoryError") as master:
        master.disable_fault()
        with own.start("sh", "-c", "echo up; read line; echo $line; sleep 100") as command:
            command.expect_up()
            master.enable_fault()
            output, said = command.communicate(b"x\n")
            assert (output, said) == (b"", LOST % b"internal error in the control master: MemoryError")
        assert "MemoryError" in master.log.read_text()
        works_again(own, master)


def test_the_end_of_a_connection_reaches_all_channels_although_one_fails(own: Project, tmp_path: Path) -> None:
    with faulty_master(own, tmp_path, "rdo.drivers.keepalive.SignOfLife.end", "ValueError") as master:
        result = own.run("sh", "-c", "kill -KILL $PPID; sleep 100")
        assert re.fullmatch((LOST % b"@").replace(b"@", b"[^\n]*"), result.stderr)
        works_again(own, master)


def test_a_failure_to_find_ports_is_reported_and_the_next_command_has_them(own: Project, tmp_path: Path) -> None:
    own.configure(ssh_config_text(own, "auto_forward = true\n"))
    with faulty_master(own, tmp_path, "rdo.forward.port_watch.PortWatch._watch", "ValueError") as master:
        words = [str(word) for word in own.command("sh", "-c", "echo up; read line; echo got $line")]
        with Terminal(words, own.local, own.environment) as terminal:
            terminal.expect("cannot find out what the command listens on: ValueError: planted; see `rdoctl log`")
            terminal.line("x")
            terminal.expect("got x")
        master.disable_fault()
        port = free_port()
        with own.start(*server(port)) as command:
            command.expect_up()
            assert here(own, port)
            command.communicate()
        works_again(own, master)


def test_forwarded_ports_continue_after_a_fault_in_their_relay(own: Project, tmp_path: Path) -> None:
    with faulty_master(own, tmp_path, "rdo.forward.relay_loop.RelayLoop._timeout", "ValueError") as master:
        port = free_port()
        with web_server(own.remote) as there, own.start("-L", f"{port}:localhost:{there}", "cat") as command:
            assert wait_until(lambda: "planted" in master.log.read_text(), END_TIMEOUT)
            master.disable_fault()
            assert wait_until(lambda: page(port) == TEXT, END_TIMEOUT)
            command.communicate()
        works_again(own, master)


def test_a_forwarded_connection_with_a_fault_is_reset(own: Project, tmp_path: Path) -> None:
    with faulty_master(own, tmp_path, "rdo.pool.target_pool.TargetPool.open_stream", "ValueError") as master:
        port = free_port()
        with web_server(own.remote) as there:
            words = ("-L", f"{port}:localhost:{there}", "sh", "-c", "echo up; cat")
            with own.start(*words) as command:
                command.expect_up()
                assert page(port) == b""
                master.disable_fault()
                assert page(port) == TEXT
                command.communicate()
        works_again(own, master)


def test_a_signal_after_a_fault_in_handling_an_earlier_one_ends_the_command(own: Project, tmp_path: Path) -> None:
    with faulty_master(own, tmp_path, "rdo.master.signal_watch.SignalWatch._end", "ValueError") as master:
        line = "(trap '' INT; exec sleep 60) & echo up; exec sleep 60"  # the first one holds the streams
        with own.start("-T", "sh", "-c", line) as command:
            command.expect_up()
            command.send_signal(signal.SIGINT)
            assert wait_until(lambda: "planted" in master.log.read_text(), END_TIMEOUT)
            master.disable_fault()
            command.send_signal(signal.SIGINT)
            command.communicate(timeout=END_TIMEOUT)
        works_again(own, master)


def test_after_a_fault_the_url_is_not_opened_and_the_next_one_is(own: Project, tmp_path: Path) -> None:
    opens = opening(own, tmp_path, YES)
    place = "rdo.master.command_browser.CommandBrowser._hold_ports"
    with faulty_master(own, tmp_path, place, "ValueError") as master:
        line = 'echo up; for _ in 1 2; do xdg-open "$0"; echo $?; read line; sleep 1.2; done'
        with opens.project.start("sh", "-c", line, URL) as command:
            command.expect_up()
            assert command.stdout
            assert command.stdout.readline() == b"4\n"
            master.disable_fault()
            output, said = command.communicate(b"again\n")
        assert output == b"0\n"
        assert said.decode().splitlines() == [
            "rdo: cannot open URLs here: ValueError: planted; see `rdoctl log`",
            f"rdo: opening {URL} here",
        ]
        assert wait_until(lambda: opens.opened == [URL], END_TIMEOUT)
        works_again(own, master)


def test_output_that_is_incomplete_after_a_fault_is_reported(
    tmp_path: Path, runtime: dict[str, str], docker_box: Box
) -> None:
    project = docker_project(tmp_path, runtime, docker_box.engine, docker_box.container)
    place = "rdo.drivers.docker.channel.DockerChannel._look_after"
    with faulty_master(project, tmp_path, place, "ValueError") as master:
        result = project.run("sh", "-c", "head -c 100000 /dev/zero; sleep 2")
        assert result.returncode == 255
        fault = "internal error in the control master: ValueError: planted"
        assert result.stderr.decode() == f"rdo: {fault}; this is a bug in rdo; see `{master.log}`\n"
        works_again(project, master)
