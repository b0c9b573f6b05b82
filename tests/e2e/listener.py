"""A command that listens on a port of the target, and where `rdoctl ports` reports it here."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from tests.e2e.project import TIMEOUT, Project
from tests.e2e.test_forward import ports
from tests.leaks import wait_until

SERVER = """
import socket, sys, time
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
def listen():
    s.bind((sys.argv[1], int(sys.argv[2])))
    s.listen()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if sys.argv[4:] == ["late"]:
    print(sys.argv[3], flush=True)
    time.sleep(0.1)
    listen()
else:
    listen()
    if sys.argv[4:] != ["silent"]:
        print(sys.argv[3], flush=True)
while line := sys.stdin.readline():
    if line == "close\\n":
        s.close()
    if line == "write\\n":
        print(sys.argv[3], flush=True)
"""
"""Listens on a port until it reads `close`, or its input ends."""


def server(port: int, text: str = "up", *more: str, host: str = "127.0.0.1") -> Sequence[str]:
    """Start a command that listens, and prints a text."""
    return (sys.executable, "-c", SERVER, host, str(port), text, *more)


def forward(project: Project, port: int) -> dict[str, Any]:
    """What `rdoctl ports` reports about a port of the target, if it is forwarded."""
    return next((each for each in ports(project) if each["remote"].endswith(f":{port}")), {})


def here(project: Project, port: int) -> int:
    """The local address of a forwarded port, after waiting for it."""
    found = wait_until(lambda: forward(project, port), TIMEOUT)
    return int(found["local"].rpartition(":")[2]) if found else 0
