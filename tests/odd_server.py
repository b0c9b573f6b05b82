"""An SSH server that misbehaves at one step of a connection, and behaves correctly otherwise.

It uses paramiko's server side with its own handlers for messages of the client. It runs no commands.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import paramiko
from paramiko import common
from paramiko.message import Message

from tests.ssh_server import client_config

ACCEPT_TIMEOUT = 0.1
"""Seconds between two checks whether the test is over."""
END_TIMEOUT = 5.0
WINDOW, PACKET = 1 << 20, 1 << 15


def text(value: bytes) -> bytes:
    """A string in the form in which it is sent."""
    return len(value).to_bytes(4, "big") + value


def uint32(*values: int) -> bytes:
    """Numbers in the form in which they are sent."""
    return b"".join(value.to_bytes(4, "big") for value in values)


def packet(payload: bytes) -> bytes:
    """A message in the form in which it is sent before keys are exchanged."""
    padding = 4 + -(len(payload) + 9) % 8
    return uint32(1 + len(payload) + padding) + bytes([padding]) + payload + bytes(padding)


class Talk(paramiko.Transport):
    """The server's end of one connection. `answers` replace its reaction to messages, by their number."""

    # The type stubs have neither.
    _handler_table: dict[int, Callable[[Message], object]]
    _send_message: Callable[[Message], None]
    _send_kex_init: Callable[[], None]

    def __init__(self, connection: socket.socket, answers: dict[int, Answer]) -> None:
        super().__init__(connection, server_sig_algs=common.MSG_SERVICE_REQUEST not in answers)
        usual: dict[int, Answer] = {
            common.MSG_SERVICE_REQUEST: Talk.accept_service,
            common.MSG_USERAUTH_REQUEST: Talk.let_in,
            common.MSG_CHANNEL_OPEN: Talk.open,
            common.MSG_CHANNEL_REQUEST: Talk.run_command,
            common.MSG_CHANNEL_CLOSE: Talk.ignore,
            common.MSG_CHANNEL_EOF: Talk.ignore,
            common.MSG_CHANNEL_WINDOW_ADJUST: Talk.ignore,
            common.MSG_CHANNEL_FAILURE: Talk.ignore,
            common.MSG_CHANNEL_OPEN_FAILURE: Talk.ignore,
            common.MSG_USERAUTH_INFO_RESPONSE: Talk.ignore,
            common.MSG_REQUEST_FAILURE: Talk.ignore,
        }
        for kind, answer in {**usual, **answers}.items():
            self._handler_table[kind] = partial(self._take, kind, answer)
        self.theirs = 0
        """The client's number of the channel that its last message was for."""
        self._opened: list[int] = []
        """The client's numbers of all channels, in the order of the server's numbers."""

    def _ensure_authed(self, ptype: int, message: Message) -> None:
        """Accept every message, whether or not the client has logged in."""

    def _take(self, kind: int, answer: Answer, message: Message) -> None:
        if kind == common.MSG_CHANNEL_REQUEST:
            self.theirs = self._opened[int.from_bytes(message.asbytes()[:4], "big")]
        answer(self, message)

    def say(self, kind: int, body: bytes = b"") -> None:
        """Send a message."""
        self._send_message(Message(bytes([kind]) + body))

    def say_on(self, kind: int, body: bytes = b"") -> None:
        """Send a message for the client's channel."""
        self.say(kind, uint32(self.theirs) + body)

    def flood(self, kind: int, body: bytes = b"", times: int | None = None) -> None:
        """Send a message again and again, until the client disconnects."""
        for _ in itertools.repeat(None) if times is None else range(times):
            self.say(kind, body)

    def accept_service(self, message: Message) -> None:
        self.say(common.MSG_SERVICE_ACCEPT, text(b"ssh-userauth"))

    def let_in(self, message: Message) -> None:
        self.say(common.MSG_USERAUTH_SUCCESS)

    def open(self, message: Message) -> None:
        message.get_string()
        self.theirs = message.get_int()
        self.confirm()

    def confirm(self, window: int = WINDOW, packet: int = PACKET) -> None:
        self._opened.append(self.theirs)
        self.say_on(common.MSG_CHANNEL_OPEN_SUCCESS, uint32(len(self._opened) - 1, window, packet))

    def run_command(self, message: Message) -> None:
        self.end_well()

    def end_well(self, output: bytes = b"hello\n", status: int = 3) -> None:
        """Report that the command was run, its output, and how it ended."""
        self.say_on(common.MSG_CHANNEL_SUCCESS)
        self.say_on(common.MSG_CHANNEL_DATA, text(output))
        self.say_on(common.MSG_CHANNEL_REQUEST, text(b"exit-status") + b"\0" + uint32(status))
        self.say_on(common.MSG_CHANNEL_EOF)
        self.say_on(common.MSG_CHANNEL_CLOSE)

    def ignore(self, message: Message) -> None:
        pass


Answer = Callable[[Talk, Message], Any]
Raw = Callable[[socket.socket], object]


class OddServer:
    """A server that listens on 127.0.0.1 while it is used as a context. `raw` gets the bare connection before anything
    is sent.
    """

    KEY = paramiko.ECDSAKey.generate()

    def __init__(
        self, directory: Path, raw: Raw | None, answers: dict[int, Answer], **preferred: tuple[str, ...]
    ) -> None:
        """`preferred`: what the server offers of each kind, by paramiko's names: `ciphers`, `kex`, ..."""
        self._raw = raw
        self._answers = answers
        self._preferred = preferred
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(ACCEPT_TIMEOUT)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self.logins = 0
        """The number of connections that were accepted."""
        port = self._listener.getsockname()[1]
        known = directory / "odd_known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {self.KEY.get_name()} {self.KEY.get_base64()}\n")
        options = ("User bob", "IdentityFile none", "IdentityAgent none", f"UserKnownHostsFile {known}")
        self.ssh_config = client_config(directory / "odd_config", port, *options)

    def __enter__(self) -> OddServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.ExitStack() as ends:
            while not self._over.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, _ = self._listener.accept()
                    self.logins += 1
                    ends.callback(connection.close)
                    self._talk(connection, ends)

    def _talk(self, connection: socket.socket, ends: contextlib.ExitStack) -> None:
        if self._raw is not None:
            with contextlib.suppress(OSError):
                self._raw(connection)
            return
        talk = Talk(connection, self._answers)
        for kind, names in self._preferred.items():
            setattr(talk, f"_preferred_{kind}", names)
        talk.add_server_key(self.KEY)
        ends.callback(talk.join, END_TIMEOUT)
        ends.callback(talk.close)
        ends.callback(talk.packetizer.complete_handshake)  # otherwise, its timer would keep running
        talk.start_server(threading.Event())
