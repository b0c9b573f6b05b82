"""A temporary SSH server on 127.0.0.1 that stands in for the demo's VM: `server.py DIRECTORY`.

It writes new keys, a known_hosts and an ssh_config with the alias `demo` to DIRECTORY/keys; a login starts in
DIRECTORY/vm. It prints `ready`, and then serves the one client key, and nobody else, until its stdin ends. Do not use
it for anything else: commands run as the user who started it.
"""

from __future__ import annotations

import logging
import os
import pwd
import signal
import socket
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import paramiko
from paramiko import common
from process import Process, Size

BACKLOG = 16
"""Connections that may wait to be accepted. rdo opens only a few."""

HANDSHAKE = 30.0
"""Seconds for a client to log in, like sshd's LoginGraceTime, so that an idle client does not keep the thread."""

POLL = 0.5
"""Seconds between two checks whether a connection is still open. Its commands are hung up that soon after its end."""

SSH_CONFIG = """\
Host demo
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile "{keys}/client"
    IdentitiesOnly yes
    UserKnownHostsFile "{keys}/known_hosts"
    StrictHostKeyChecking yes
"""


def handle_request(channel: paramiko.Channel, message: paramiko.Message) -> None:
    """Answer a channel's request before starting its command, which might otherwise end before the answer is sent."""
    channel._handle_request(message)  # type: ignore[attr-defined]
    transport = channel.get_transport()
    interface = transport.server_object
    assert isinstance(interface, Connection)
    interface.start(channel)


class Transport(paramiko.Transport):
    """paramiko's Transport with `handle_request`, because no public method says when an answer was sent."""

    _channel_handler_table: ClassVar = {
        **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined]
        common.MSG_CHANNEL_REQUEST: handle_request,
    }


class Connection(paramiko.ServerInterface):
    """What one client may do: log in with the right key, and then run commands."""

    def __init__(self, client_key: paramiko.PKey, directory: Path, environment: dict[str, str]) -> None:
        self._client_key = client_key
        self._directory = directory
        self._environment = environment
        self._processes: dict[int, Process] = {}

    def start(self, channel: paramiko.Channel) -> None:
        """Start the command that the channel requested, unless there is none or it was started."""
        process = self._process(channel)
        if process.argv and not process.started:
            process.start()

    def end_processes(self, number: int) -> None:
        """Send a signal to all running commands."""
        for process in list(self._processes.values()):
            process.signal(number)

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return common.AUTH_SUCCESSFUL if key == self._client_key else common.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        if kind != "session":
            return common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        return common.OPEN_SUCCEEDED

    def check_channel_pty_request(
        self,
        channel: paramiko.Channel,
        term: bytes,
        width: int,
        height: int,
        pixelwidth: int,
        pixelheight: int,
        modes: bytes,
    ) -> bool:
        process = self._process(channel)
        process.term = os.fsdecode(term) or "dumb"
        process.size = Size(height, width)
        return True

    def check_channel_window_change_request(
        self, channel: paramiko.Channel, width: int, height: int, pixelwidth: int, pixelheight: int
    ) -> bool:
        self._process(channel).resize(Size(height, width))
        return True

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self._process(channel).argv = [b"/bin/sh", b"-c", command]
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        self._process(channel).argv = [b"/bin/sh", b"-l"]
        return True

    def _process(self, channel: paramiko.Channel) -> Process:
        number = channel.get_id()
        process = self._processes.get(number)
        if process is None or process.channel is not channel:  # channel numbers are reused
            process = Process(channel, self._environment, str(self._directory))
            self._processes[number] = process
        return process


def serve(connection: socket.socket, host_key: paramiko.PKey, interface: Connection) -> None:
    """Serve one client until it disconnects, and then hang up its running commands."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = Transport(connection)
    transport.auth_timeout = HANDSHAKE
    transport.add_server_key(host_key)
    channels: list[paramiko.Channel] = []  # paramiko closes a channel that is no longer referenced
    try:
        transport.start_server(threading.Event(), interface)
        while transport.is_active():
            if channel := transport.accept(POLL):
                channels = [each for each in channels if not each.closed] + [channel]
    finally:
        interface.end_processes(signal.SIGHUP)
        transport.close()


def write_keys(keys: Path, port: int) -> tuple[paramiko.PKey, paramiko.PKey]:
    """Create keys for the host and the client, and write what a client needs to find and trust the server."""
    keys.mkdir(mode=0o700)
    host, client = paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()
    client.write_private_key_file(str(keys / "client"))
    (keys / "known_hosts").write_text(f"[127.0.0.1]:{port} {host.get_name()} {host.get_base64()}\n")
    user = pwd.getpwuid(os.getuid()).pw_name
    (keys / "ssh_config").write_text(SSH_CONFIG.format(port=port, user=user, keys=keys))
    return host, client


@dataclass(frozen=True)
class Server:
    """Accepts clients, and serves each in its own thread."""

    listener: socket.socket
    host_key: paramiko.PKey
    client_key: paramiko.PKey
    vm: Path
    interfaces: list[Connection] = field(default_factory=list)

    def accept_forever(self) -> None:
        """Accept clients until the program ends. Never returns."""
        while True:
            connection, (address, port) = self.listener.accept()
            interface = Connection(self.client_key, self.vm, self.environment(f"{address} {port}"))
            self.interfaces.append(interface)
            threading.Thread(target=serve, args=(connection, self.host_key, interface), daemon=True).start()

    def environment(self, client: str) -> dict[str, str]:
        """The variables that sshd sets for a session. Of the server's own variables, only PATH is included."""
        address, port = self.listener.getsockname()
        return {
            "HOME": str(self.vm),
            "PATH": os.environ.get("PATH", os.defpath),
            "SHELL": "/bin/sh",
            "SSH_CONNECTION": f"{client} {address} {port}",
            "USER": pwd.getpwuid(os.getuid()).pw_name,
        }


def main() -> None:
    """Serve until stdin ends, so that the server never outlives the process that started it."""
    directory = Path(sys.argv[1]).resolve()
    vm = directory / "vm"
    vm.mkdir(exist_ok=True)
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # do not log clients that disconnect
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listener:
        host, client = write_keys(directory / "keys", listener.getsockname()[1])
        server = Server(listener, host, client, vm)
        threading.Thread(target=server.accept_forever, daemon=True).start()
        print("ready", flush=True)
        sys.stdin.read()
        for interface in server.interfaces:
            interface.end_processes(signal.SIGKILL)


if __name__ == "__main__":
    main()
