"""Checks that each reader of another program's text splits it as that program does, rather than as Python does."""

from __future__ import annotations

import ast
import base64
import os
import pwd
from pathlib import Path

import pytest

import rdo
from rdo.drivers.docker.http import split_head
from rdo.drivers.ssh import known_hosts, query
from rdo.drivers.ssh.query import Query
from rdo.drivers.ssh.query_output import parse
from rdo.drivers.ssh.query_request import SshQueryRequest
from rdo.drivers.vagrant import output
from rdo.rsh.ssh_argv import parse as parse_ssh_argv
from tests.unit.util.test_lines import ODD

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not

PACKAGE = Path(rdo.__file__).parent
BLOB = b"\0\0\0\x0bssh-ed25519a key"
KEY = f"ssh-ed25519 {base64.b64encode(BLOB).decode()}"


@pytest.mark.parametrize("odd", ODD)
def test_a_comment_in_known_hosts_is_not_a_key(odd: str, tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_bytes(f"# was{odd}* {KEY}\nhost{odd}* {KEY}\n".encode())
    names = [entry.patterns for entry in known_hosts.load([str(file)])]
    assert names == [f"host{odd}*"]


def test_a_known_hosts_file_with_crlf_is_read_as_by_ssh() -> None:
    (entry,) = known_hosts.parse("file", f"host {KEY}\r\n")
    assert entry.key.blob == BLOB


@pytest.mark.parametrize("odd", ODD)
def test_an_option_of_ssh_ends_at_the_end_of_its_line(odd: str, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_bytes(f"SetEnv A=b{odd}StrictHostKeyChecking=no\nStrictHostKeyChecking yes\n".encode())
    person = pwd.getpwuid(os.getuid())
    environment = {"PATH": os.environ["PATH"]}
    asked = Query(SshQueryRequest("host", ssh_config=str(config)), environment)._finish
    assert asked
    lines = query._answer(SshQueryRequest("host"), asked)
    found = parse(SshQueryRequest("host"), lines, environment, person)
    assert found.strict_host_key_checking == "yes"


@pytest.mark.parametrize("odd", [odd for odd in ODD if odd != "\r"])
def test_a_report_of_vagrant_ends_at_the_end_of_its_line(odd: str) -> None:
    text = f"1,default,ui,say{odd}1,evil,state,running\r\n2,default,state,poweroff\r\n"
    assert list(output.states(text)) == ["default"]
    good = "Host good\n  HostName 127.0.0.1\n"
    assert output.ssh_config(f"said{odd}Host evil\n{good}", "good") == good


@pytest.mark.parametrize("odd", [odd for odd in ODD if ord(odd) < 256])
def test_a_header_of_the_engine_loses_only_blanks(odd: str) -> None:
    head = split_head(b"HTTP/1.1 200 OK\r\nA: \t" + odd.encode("latin-1") + b"b \r\n\r\n")
    assert head is not None
    assert head[0].fields["a"] == f"{odd}b"


def test_variables_named_for_rdo_rsh_are_separated_by_blanks() -> None:
    assert parse_ssh_argv(["-oSendEnv=A\u2028B C", "host"]).send_env == ["A\u2028B", "C"]


EXCUSED = {
    "cli/ide/vim.py": "our own text",
    "remote_sh/template.py": "our own text",
    "cli/init/survey.py": "a suggestion that is shown, and asked about",
}


def test_no_module_splits_text_with_splitlines() -> None:
    users = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "splitlines" in (text := path.read_text())
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and node.attr == "splitlines"
    }
    assert users - EXCUSED.keys() == set()
