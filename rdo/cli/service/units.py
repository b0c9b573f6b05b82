"""The text of the files by which systemd and launchd start the control master. Pure."""

from __future__ import annotations

import plistlib
from collections.abc import Sequence

from rdo.ipc.startup import log_path

SOCKET_UNIT = "rdo.socket"
SERVICE_UNIT = "rdo.service"

SYSTEMD_SOCKET = """\
[Unit]
Description=Control socket of rdo
Documentation=man:rdoctl(1)

[Socket]
ListenStream=%t/rdo/control
SocketMode=0600
DirectoryMode=0700
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
"""
"""`%t` stands for XDG_RUNTIME_DIR."""

SYSTEMD_SERVICE = """\
[Unit]
Description=Control master of rdo
Documentation=man:rdoctl(1)

[Service]
Type=simple
ExecStart={command} %t/rdo/control
WorkingDirectory=/
UMask=0077
StandardError=append:%t/rdo/control.log
KillMode=mixed
"""
"""The service ends by itself when it is idle, and the next command starts it again. It does not require the socket
unit: it would then be stopped together with that, but running commands should survive when the service is removed.
"""


def systemd_units(command: Sequence[str]) -> dict[str, str]:
    """The text of each unit by its name. `command` starts a control master; the path of its socket is appended."""
    words = " ".join(map(systemd_word, command))
    return {SOCKET_UNIT: SYSTEMD_SOCKET, SERVICE_UNIT: SYSTEMD_SERVICE.format(command=words)}


def systemd_word(word: str) -> str:
    """A word of ExecStart, quoted so that `%` and `$` have no special meaning: see systemd.service(5)."""
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"'


def launchd_agent(label: str, socket: str, command: Sequence[str], path: str) -> str:
    """The property list of an agent whose socket is named `socket` and listens at `path`: see launchd.plist(5)."""
    agent = {
        "Label": label,
        "ProgramArguments": [*command, path],
        "Sockets": {socket: {"SockPathName": path, "SockPathMode": 0o600, "SockType": "stream"}},
        "StandardErrorPath": log_path(path),
        "Umask": 0o077,
        "WorkingDirectory": "/",
        "ProcessType": "Interactive",
    }
    return plistlib.dumps(agent).decode()
