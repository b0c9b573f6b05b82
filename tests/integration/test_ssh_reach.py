"""Tests for ways to reach a host, and for the errors: configuration, jump hosts, proxies, servers that are not SSH."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.errors import ConnectError
from tests.connecting import connected
from tests.integration.conftest import Connect, MakeServer
from tests.servers import sshd_alone
from tests.ssh_client import ScriptedCaller, driver, output
from tests.ssh_server import SshServer


@contextlib.contextmanager
def listener(says: bytes, *, hangs_up: bool) -> Iterator[int]:
    """A port on which a server other than SSH answers once."""
    done = threading.Event()

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(says)
            if not hangs_up:
                done.wait(10.0)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        done.set()
        thread.join()


def failure(host: str, port: int | None = None, timeout: float | None = None) -> str:
    with pytest.raises(ConnectError) as error:
        connected(driver(Path(os.devnull), host, port=port, connect_timeout=timeout), ScriptedCaller())
    return str(error.value)


def test_include_and_match_are_used(server: SshServer, connect: Connect, tmp_path: Path) -> None:
    outer = tmp_path / "config"
    outer.write_text(f'Match host devbox exec "true"\n  SetEnv A=b\nMatch all\n  Include {server.ssh_config()}\n')
    connection = connect(outer)
    assert output(connection, "echo in") == (0, "in\n")
    assert connection.options.set_env == {"A": "b"}


@pytest.mark.parametrize(
    "line",
    [f"ProxyCommand echo {'x' * 3000} >&2; exit 1", "\n".join(f"Bogus{'x' * 900} {each}" for each in range(99))],
    ids=["a long command", "a hundred wrong lines"],
)
def test_long_values_are_truncated_in_errors(line: str, server: SshServer) -> None:
    with pytest.raises(ConnectError) as error:
        connected(driver(server.ssh_config(extra=[line], name="long")), ScriptedCaller())
    assert len(str(error.value)) < 800


def test_a_configuration_that_ssh_refuses_is_refused_with_its_message(tmp_path: Path) -> None:
    config = tmp_path / "bad"
    config.write_text("Host devbox\n  Colour blue\n")
    with pytest.raises(ConnectError, match="line 2: Bad configuration option: colour"):
        connected(driver(config), ScriptedCaller())


def test_without_an_ssh_program_the_configuration_is_still_read(server: SshServer, connect: Connect) -> None:
    lonely = ScriptedCaller(environment={"PATH": "/nonexistent"})
    assert output(connect(server.ssh_config(), caller=lonely), "echo in") == (0, "in\n")


def test_a_host_that_does_not_exist_is_named() -> None:
    assert failure("no-such-host.invalid").startswith("cannot find the host `no-such-host.invalid`: ")


def test_a_port_in_a_host_name_is_an_error_that_names_the_key_for_it() -> None:
    assert failure("no-such-host.invalid:2222").endswith("; a port has a key of its own: `port = 2222`")
    assert failure("no-such-host::2222").endswith("; check the name, or set its HostName in ~/.ssh/config")


def test_a_port_on_which_nobody_listens_is_named(closed_port: int) -> None:
    text = f"cannot reach `127.0.0.1` port {closed_port}: connection refused; check that an SSH server is running there"
    assert failure("127.0.0.1", closed_port) == text


def test_a_silent_server_times_out() -> None:
    with listener(b"", hangs_up=False) as port:
        assert "it sent no banner within 0.5 s" in failure("127.0.0.1", port, 0.5)


def test_a_server_that_hangs_up_at_once_is_reported() -> None:
    with listener(b"", hangs_up=True) as port:
        assert "it closed the connection without sending a banner" in failure("127.0.0.1", port)


def test_a_server_that_is_not_an_ssh_server_is_quoted() -> None:
    with listener(b"HTTP/1.1 400 Bad\x1b[2J Request\r\n\r\n", hangs_up=True) as port:
        assert (
            r"it sent this instead of an SSH version: `HTTP/1.1 400 Bad\x1b[2J Request`; check that it is an SSH server"
            in failure("127.0.0.1", port)
        )


def test_a_server_with_too_many_logins_may_be_tried_again() -> None:
    with listener(b"No room today\r\n", hangs_up=True) as port:
        text = failure("127.0.0.1", port)
    assert "it sent this instead of an SSH version: `No room today`" in text
    assert "too many logins at once (MaxStartups), try again" in text


@sshd_alone("Ciphers")
def test_a_server_without_a_common_algorithm_is_reported(own_server: MakeServer) -> None:
    why = "only these ciphers: chacha20-poly1305@openssh.com; .* add `aes128-gcm@openssh.com` to Ciphers"
    with own_server("Ciphers chacha20-poly1305@openssh.com") as server, pytest.raises(ConnectError, match=why):
        connected(driver(server.ssh_config()), ScriptedCaller())


@sshd_alone("Ciphers")
@pytest.mark.parametrize("cipher", ["aes256-gcm@openssh.com", "aes128-ctr"])
def test_servers_without_the_preferred_cipher_are_supported(
    cipher: str, own_server: MakeServer, connect: Connect
) -> None:
    with own_server(f"Ciphers {cipher}") as server:
        assert output(connect(server.ssh_config()), "echo in") == (0, "in\n")


UMAC = "MACs umac-64@openssh.com,umac-128-etm@openssh.com"


@sshd_alone("MACs")
@pytest.mark.parametrize("side", ["server", "client"])
def test_no_mac_has_to_be_agreed_on_with_a_cipher_that_needs_none(
    side: str, own_server: MakeServer, connect: Connect
) -> None:
    lines = [UMAC, "RekeyLimit 100K"] if side == "server" else ["RekeyLimit 100K"]
    with own_server(*lines) as server:
        connection = connect(server.ssh_config(extra=[UMAC] if side == "client" else []))
        assert output(connection, "head -c 300000 /dev/zero | wc -c") == (0, "300000\n")


@sshd_alone("MACs")
def test_a_server_without_supported_macs_is_reported(own_server: MakeServer) -> None:
    why = (
        "only these MACs: umac-64@openssh.com, umac-128-etm@openssh.com; .* add `hmac-sha2-256-etm@openssh.com` to MACs"
    )
    with own_server(UMAC, "Ciphers aes128-ctr") as server, pytest.raises(ConnectError, match=why):
        connected(driver(server.ssh_config()), ScriptedCaller())


def test_the_target_has_a_name_before_anything_is_connected() -> None:
    assert driver(None, "devbox").target == "devbox"
    assert driver(None, "devbox", user="bob", port=22).target == "bob@devbox"
    assert driver(None, "devbox", user="bob", port=2222).target == "bob@devbox:2222"


def test_the_configured_directory_is_a_root() -> None:
    assert driver(None, "devbox").roots() == []
    (root,) = driver(None, "devbox", directory="/srv/app", root="/home/me/app").roots()
    assert (root.local, root.remote) == ("/home/me/app", "/srv/app")


def test_programs_and_paths_of_the_ssh_configuration_are_relative_to_the_callers_directory(
    server: SshServer, connect: Connect, tmp_path: Path
) -> None:
    shutil.copy(server.client_key, tmp_path / "mine")
    (tmp_path / "mine").chmod(0o600)
    lines = ["IdentityFile mine", "LocalCommand pwd", "PermitLocalCommand yes"]
    config = server.ssh_config(extra=lines, name="relative")
    config.write_text(config.read_text().replace(f"IdentityFile {server.client_key}", ""))
    caller = ScriptedCaller(environment={"PATH": os.environ["PATH"], "PWD": str(tmp_path)})
    connect(config, caller=caller)
    assert caller.told == [str(tmp_path)]


@pytest.mark.parametrize(("value", "mark"), [("af21 cs1", 0x48), ("none", 0)])
def test_packets_are_marked_as_configured(value: str, mark: int, server: SshServer, connect: Connect) -> None:
    connection = connect(server.ssh_config(extra=[f"IPQoS {value}", "TCPKeepAlive no"], name="marked"))
    stream = connection._transport.packetizer.sender._stream._stream
    assert isinstance(stream, socket.socket)
    assert stream.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == mark
    assert stream.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0


def test_it_is_tried_as_often_as_configured(server: SshServer, closed_port: int) -> None:
    config = server.ssh_config(extra=["ConnectionAttempts 2", f"Port {closed_port}"], name="attempts")
    began = time.monotonic()
    with pytest.raises(ConnectError, match="connection refused"):
        connected(driver(config), ScriptedCaller())
    assert time.monotonic() - began >= 1.0  # the pause between two attempts


@sshd_alone("a log of its clients' versions")
def test_an_addendum_is_sent_with_the_version(own_server: MakeServer, connect: Connect) -> None:
    """As other programs do. The installed ssh may not have the option yet."""
    with own_server("LogLevel DEBUG1") as server:
        config = server.ssh_config(extra=["VersionAddendum from-here"])
        alone = ScriptedCaller(environment={"PATH": "/nonexistent"})
        assert output(connect(config, caller=alone), "echo in") == (0, "in\n")
        assert re.search(r"remote software version rdo_\S+ from-here", server.log)
