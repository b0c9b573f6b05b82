"""Tests for parsing the output of `ssh -G` as options."""

from __future__ import annotations

import pwd

import pytest

from rdo.drivers.ssh.options import SshOptions
from rdo.drivers.ssh.query_output import packet_mark, parse
from rdo.drivers.ssh.query_request import SshQueryRequest

ALICE = pwd.struct_passwd(("alice", "x", 1000, 1000, "", "/home/alice", "/bin/sh"))


def options(*lines: str, request: SshQueryRequest | None = None, **environment: str) -> SshOptions:
    return parse(request or SshQueryRequest("devbox"), lines, environment, ALICE)


def test_without_any_line_the_defaults_are_those_of_ssh() -> None:
    found = options()
    assert (found.hostname, found.port, found.user) == ("devbox", 22, "alice")
    assert found.strict_host_key_checking == "ask"
    assert found.methods == ("publickey", "keyboard-interactive", "password")


def test_keys_are_understood_in_any_case() -> None:
    assert options("HostName 10.0.0.7", "port 2222").known_as == "[10.0.0.7]:2222"


def test_identity_files_have_tildes_tokens_and_spaces_resolved() -> None:
    found = options("hostname h", "user u", "identityfile ~/.ssh/%h_%r", "identityfile /a b/key", "identityfile none")
    assert found.identity_files == ("/home/alice/.ssh/h_u", "/a b/key")


def test_the_key_of_rdos_own_configuration_comes_first() -> None:
    found = options("identityfile ~/.ssh/id", request=SshQueryRequest("devbox", identity="~/special"))
    assert found.identity == "/home/alice/special"
    assert found.identity_files == ("/home/alice/special", "/home/alice/.ssh/id")


@pytest.mark.parametrize(
    ("value", "agent"),
    [
        ([], "/agent"),
        (["identityagent none"], ""),
        (["identityagent SSH_AUTH_SOCK"], "/agent"),
        (["identityagent $OTHER"], "/other"),
        (["identityagent ${OTHER}.sock"], "/other.sock"),
        (["identityagent ~/agent"], "/home/alice/agent"),
        (["identityagent $UNSET"], ""),
    ],
)
def test_the_agent_is_the_callers_unless_configured(value: list[str], agent: str) -> None:
    assert options(*value, SSH_AUTH_SOCK="/agent", OTHER="/other").identity_agent == agent


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("identityagent none", set()),
        ("identityagent $OTHER", {"OTHER"}),
        ("identityagent SSH_AUTH_SOCK", {"SSH_AUTH_SOCK"}),
        ("identityfile ${KEYS}/id", {"KEYS", "SSH_AUTH_SOCK"}),
        ("identityfile keys/id", {"PWD", "SSH_AUTH_SOCK"}),
        ("identityfile /keys/id", {"SSH_AUTH_SOCK"}),
    ],
)
def test_the_variables_that_decided_are_named(line: str, names: set[str]) -> None:
    assert options(line, KEYS="/keys", PWD="/work", TERM="xterm").variables_read == names


def test_without_an_agent_variable_there_is_no_agent() -> None:
    assert options().identity_agent == ""


@pytest.mark.parametrize(
    ("lines", "path"),
    [
        ([], ""),
        (["forwardagent no"], ""),
        (["forwardagent yes"], "/agent"),
        (["forwardagent yes", "identityagent /own"], "/own"),
        (["forwardagent /other"], "/other"),
    ],
)
def test_the_agent_is_forwarded_only_when_asked_for(lines: list[str], path: str) -> None:
    assert options(*lines, SSH_AUTH_SOCK="/agent").forward_agent == path


@pytest.mark.parametrize(
    ("value", "policy"),
    [("ask", "ask"), ("true", "yes"), ("yes", "yes"), ("false", "no"), ("off", "no"), ("accept-new", "accept-new")],
)
def test_host_key_policies_have_one_name_each(value: str, policy: str) -> None:
    assert options(f"stricthostkeychecking {value}").strict_host_key_checking == policy


@pytest.mark.parametrize(
    ("lines", "methods"),
    [
        (["pubkeyauthentication false"], ("keyboard-interactive", "password")),
        (["passwordauthentication no"], ("publickey", "keyboard-interactive")),
        (["preferredauthentications password,gssapi-with-mic,publickey"], ("password", "publickey")),
        (["batchmode yes"], ("publickey",)),
    ],
)
def test_login_methods_follow_the_configuration(lines: list[str], methods: tuple[str, ...]) -> None:
    assert options(*lines).methods == methods


def test_a_proxy_of_none_is_not_a_proxy() -> None:
    found = options("proxycommand none", "proxyjump none", "userknownhostsfile none", "connecttimeout none")
    assert (found.proxy_command, found.proxy_jump, found.known_hosts, found.connect_timeout) == ("", "", (), None)


def test_the_tokens_of_a_proxy_command_are_expanded() -> None:
    found = options("hostname 10.0.0.7", "port 2222", "user bob", "proxycommand nc %h %p %r %n 100%%")
    assert found.proxy_command == "nc 10.0.0.7 2222 bob devbox 100%"


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("kbdinteractivedevices pam", "devices", "pam"),
        ("batchmode yes", "batch", True),
        ("revokedhostkeys ~/a b /c%h", "revoked_host_keys", ("/home/alice/a b", "/cdevbox")),
        ("revokedhostkeys none", "revoked_host_keys", ()),
        ("knownhostscommand /bin/kh %H", "known_hosts_command", "/bin/kh %H"),
        ("nohostauthenticationforlocalhost yes", "trusts_localhost", True),
        ("checkhostip yes", "check_host_ip", True),
        ("fingerprinthash md5", "fingerprint_hash", "MD5"),
        ("loglevel ERROR", "quiet", True),
        ("loglevel INFO", "quiet", False),
        ("localcommand echo %h", "local_command", ""),
        ("proxyusefdpass yes", "proxy_fdpass", True),
        ("tcpkeepalive no", "tcp_keepalive", False),
        ("connectionattempts 3", "attempts", 3),
        ("connectionattempts 0", "attempts", 1),
        ("serveraliveinterval 7", "alive_interval", 7.0),
        ("serveralivecountmax 2", "alive_count", 2),
        ("port \u0663", "port", 22),
        ("connecttimeout none", "connect_timeout", None),
        ("tunnel ethernet", "ignored", ("Tunnel ethernet: rdo does not create tunnel devices",)),
        ("bindinterface lo", "refused", ("BindInterface lo: rdo cannot choose an interface: set BindAddress",)),
    ],
)
def test_each_option_is_understood(line: str, field: str, value: object) -> None:
    assert getattr(options(line), field) == value


def test_an_unknown_host_key_policy_is_an_error() -> None:
    with pytest.raises(ValueError, match="cannot be `maybe`"):
        options("stricthostkeychecking maybe")


def test_the_default_minimum_size_of_rsa_keys_is_that_of_ssh() -> None:
    assert (options().algorithms.rsa_bits, options("requiredrsasize 3072").algorithms.rsa_bits) == (1024, 3072)


def test_a_local_command_applies_only_if_it_is_permitted() -> None:
    assert options("localcommand echo %h", "permitlocalcommand yes").local_command == "echo devbox"


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("hostkeyalgorithms a,b", "host_keys", ("a", "b")),
        ("kexalgorithms a", "key_exchanges", ("a",)),
        ("ciphers -aes128*,aes192-ctr", "ciphers", ("aes256-gcm@openssh.com", "aes256-ctr")),
        ("macs a", "macs", ("a",)),
        ("pubkeyacceptedalgorithms a", "public_keys", ("a",)),
        ("casignaturealgorithms a", "ca_signatures", ("a",)),
        ("requiredrsasize 3072", "rsa_bits", 3072),
        ("rsaminsize 2048", "rsa_bits", 2048),
    ],
)
def test_algorithms_are_understood(line: str, field: str, value: object) -> None:
    assert getattr(options(line).algorithms, field) == value


def test_relative_paths_start_where_the_command_was_typed() -> None:
    lines = ("identityfile keys/%h", "revokedhostkeys revoked", "userknownhostsfile known")
    found = options(*lines, PWD="/work", SSH_AUTH_SOCK="agent")
    assert found.identity_files == ("/work/keys/devbox",)
    assert found.revoked_host_keys == ("/work/revoked",)
    assert (found.known_hosts, found.identity_agent) == (("/work/known",), "/work/agent")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lowdelay throughput", 0x10),
        ("af21 cs1", 0x48),
        ("AF43", 0x98),
        ("cs7", 0xE0),
        ("ef cs0", 0xB8),
        ("0x20 0x08", 0x20),
        ("16", 16),
        ("none", None),
        ("", None),
        ("256", None),
        ("odd", None),
    ],
)
def test_a_ping_interval_is_the_first_value(text: str, expected: int | None) -> None:
    assert packet_mark(text) == expected
