"""The question to ssh, and the names that never reach it."""

from __future__ import annotations

import pytest

from rdo.drivers.ssh.query import arguments, check_names
from rdo.drivers.ssh.query_request import SshQueryRequest
from rdo.errors import ConnectError


def test_the_question_to_ssh_ends_its_options_before_the_host() -> None:
    request = SshQueryRequest("devbox", user="u", port=2222, identity="/k", jump="j", ssh_config="/c")
    assert arguments(request) == ["-G", "-F", "/c", "-l", "u", "-p", "2222", "-J", "j", "--", "devbox"]


@pytest.mark.parametrize("name", ["", "-oProxyCommand=x", "a;b", "a`b`", "a$(b)", "a b", "a\nb", "a'b", "\x1b[2J"])
@pytest.mark.parametrize("field", ["host", "user", "jump"])
def test_names_that_could_be_read_as_something_else_are_refused(field: str, name: str) -> None:
    with pytest.raises(ConnectError, match="not a valid name"):
        check_names(SshQueryRequest(**{"host": "devbox", field: name}))  # type: ignore[arg-type]


@pytest.mark.parametrize("jump", ["a,-b", "a,,b", "a,$b"])
def test_each_of_several_jump_hosts_is_looked_at(jump: str) -> None:
    with pytest.raises(ConnectError, match="not a valid name"):
        check_names(SshQueryRequest("devbox", jump=jump))


@pytest.mark.parametrize(
    "request_",
    [
        SshQueryRequest("fe80::1%eth0", user="corp\\bob", jump="u@a:22,ssh://[::1]:22"),
        SshQueryRequest("dev-box_1.example.com", user="bob.b@corp"),
    ],
)
def test_ordinary_names_pass(request_: SshQueryRequest) -> None:
    check_names(request_)
