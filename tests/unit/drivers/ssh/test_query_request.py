"""Tests for the call of `ssh -G`, the names that are refused before it, and the suggested ssh command for the same
host.
"""

from __future__ import annotations

import pytest

from rdo.drivers.ssh.query_request import SshQueryRequest, arguments, check_names, copy_command, jump_request
from rdo.errors import ConnectError


def test_the_call_of_ssh_ends_its_options_before_the_host() -> None:
    request = SshQueryRequest("devbox", user="u", port=2222, identity="/k", jump="j", ssh_config="/c")
    assert arguments(request) == ["-G", "-F", "/c", "-l", "u", "-p", "2222", "-J", "j", "--", "devbox"]


@pytest.mark.parametrize("name", ["", "-oProxyCommand=x", "a;b", "a`b`", "a$(b)", "a b", "a\nb", "a'b", "\x1b[2J"])
@pytest.mark.parametrize("field", ["host", "user", "jump"])
def test_names_that_could_be_read_as_something_else_are_refused(field: str, name: str) -> None:
    with pytest.raises(ConnectError, match="not a valid name"):
        check_names(SshQueryRequest(**{"host": "devbox", field: name}))  # type: ignore[arg-type]


@pytest.mark.parametrize("jump", ["a,-b", "a,,b", "a,$b"])
def test_each_of_several_jump_hosts_is_checked(jump: str) -> None:
    with pytest.raises(ConnectError, match="not a valid name"):
        check_names(SshQueryRequest("devbox", jump=jump))


@pytest.mark.parametrize(
    "request_",
    [
        SshQueryRequest("fe80::1%eth0", user="corp\\bob", jump="u@a:22,ssh://[::1]:22"),
        SshQueryRequest("dev-box_1.example.com", user="bob.b@corp"),
    ],
)
def test_ordinary_names_are_accepted(request_: SshQueryRequest) -> None:
    check_names(request_)


@pytest.mark.parametrize(
    ("jumps", "expected"),
    [
        ("a", ("a", None, None, None)),
        ("u@a:2222", ("a", "u", 2222, None)),
        ("a,b,u@c", ("c", "u", None, "a,b")),
        ("ssh://u@a:2222/", ("a", "u", 2222, None)),
        ("u@[::1]:2222", ("::1", "u", 2222, None)),
        ("::1", ("::1", None, None, None)),
    ],
)
def test_the_last_jump_host_is_reached_through_those_before(
    jumps: str, expected: tuple[str, str | None, int | None, str | None]
) -> None:
    found = jump_request(jumps, None)
    assert (found.host, found.user, found.port, found.jump) == expected


@pytest.mark.parametrize(
    ("request_", "command"),
    [
        (SshQueryRequest("devbox"), "ssh-copy-id devbox"),
        (SshQueryRequest("devbox", "bob", 2222), "ssh-copy-id -p 2222 bob@devbox"),
        (SshQueryRequest("h", None, None, "~/a b", "gate", "/c"), "ssh-copy-id -F /c -i '~/a b' -o ProxyJump=gate h"),
    ],
)
def test_the_command_that_installs_a_key_has_the_configured_options(request_: SshQueryRequest, command: str) -> None:
    assert copy_command(request_) == command
