"""The question to `ssh -G` about a host, and the command lines that follow from it. Pure."""

import shlex
from typing import NamedTuple

from rdo.errors import ConnectError


class SshQueryRequest(NamedTuple):
    """What rdo's own configuration says about a host; the rest is up to the user's ssh configuration."""

    host: str
    user: str | None = None
    port: int | None = None
    identity: str | None = None
    jump: str | None = None
    ssh_config: str | None = None


def check_names(request: SshQueryRequest) -> None:
    """Refuse names that could be treated as options, or interpreted by a shell, as ssh(1) does (CVE-2017-1000117)."""
    names = [("host", request.host, "$\\"), ("user", request.user, "")]
    names += [("jump host", jump, "$\\") for jump in (request.jump.split(",") if request.jump is not None else ())]
    for kind, name, more in names:
        if name is not None and (
            name[:1] in ("", "-") or not name.isprintable() or set(name) & {*"'`\";&<>|(){} ", *more}
        ):
            raise ConnectError(f"the {kind} `{name}` is not a valid name", "", "correct it in the configuration")


def arguments(request: SshQueryRequest) -> list[str]:
    """Arguments for `ssh` to print the effective options; without `identity`, since ssh drops a missing one."""
    given = [("-F", request.ssh_config), ("-l", request.user), ("-p", request.port), ("-J", request.jump)]
    return [
        "-G",
        *(word for option, value in given if value for word in (option, str(value))),
        "--",
        request.host,
    ]


def copy_command(request: SshQueryRequest) -> str:
    """The command to type to install a key on the host, including what rdo's own configuration says."""
    identity = ["-i", request.identity] if request.identity else []
    file = ["-F", request.ssh_config] if request.ssh_config else []
    port = ["-p", str(request.port)] if request.port else []
    jump = ["-o", f"ProxyJump={request.jump}"] if request.jump else []
    host = f"{request.user}@{request.host}" if request.user else request.host
    return shlex.join(["ssh-copy-id", *file, *identity, *port, *jump, host])


def jump_request(jumps: str, ssh_config: str | None) -> SshQueryRequest:
    """The last of comma-separated jump hosts, reached through those before it. Each is [user@]host[:port]."""
    before, _, last = jumps.rpartition(",")
    user, _, place = last.removeprefix("ssh://").rstrip("/").rpartition("@")
    host, port = place, ""
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        port = rest.removeprefix(":")
    elif place.count(":") == 1:
        host, _, port = place.partition(":")
    return SshQueryRequest(
        host, user or None, int(port) if port.isdecimal() else None, None, before or None, ssh_config
    )
