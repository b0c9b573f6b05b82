"""The lines of `ssh -G` as options, and the names that never reach ssh."""

from __future__ import annotations

import pwd

import pytest

from rdo.drivers.ssh.options import SshOptions, SshQueryRequest, copy_command, jump_request, paths, variables
from rdo.drivers.ssh.query import arguments, check_names
from rdo.drivers.ssh.query_output import parse
from rdo.errors import ConnectError
from tests.ssh_client import ScriptedCaller

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


@pytest.mark.parametrize(
    ("lines", "known_as"),
    [
        (["hostname 10.0.0.7"], "10.0.0.7"),
        (["hostname 10.0.0.7", "port 2222"], "[10.0.0.7]:2222"),
        (["hostname 10.0.0.7", "port 2222", "hostkeyalias vm-1"], "vm-1"),
    ],
)
def test_a_host_is_known_by_address_port_or_alias(lines: list[str], known_as: str) -> None:
    assert options(*lines).known_as == known_as


@pytest.mark.parametrize(("lines", "address"), [([], "alice@devbox"), (["port 2222"], "alice@devbox:2222")])
def test_the_address_for_people_has_the_name_that_was_typed(lines: list[str], address: str) -> None:
    assert options("hostname 10.0.0.7", *lines).address == address


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
def test_ways_to_log_in_follow_the_configuration(lines: list[str], methods: tuple[str, ...]) -> None:
    assert options(*lines).methods == methods


def test_proxies_that_are_none_are_no_proxies() -> None:
    found = options("proxycommand none", "proxyjump none", "userknownhostsfile none", "connecttimeout none")
    assert (found.proxy_command, found.proxy_jump, found.known_hosts, found.connect_timeout) == ("", "", (), None)


def test_the_tokens_of_a_proxy_command_are_expanded() -> None:
    found = options("hostname 10.0.0.7", "port 2222", "user bob", "proxycommand nc %h %p %r %n 100%%")
    assert found.proxy_command == "nc 10.0.0.7 2222 bob devbox 100%"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("/a /b", ("/a", "/b")),
        ("/with space/a ~/b", ("/with space/a", "~/b")),
        ("/with space/a ${HOME}/b %d/c ./d e", ("/with space/a", "${HOME}/b", "%d/c", "./d e")),
        ("one two /three", ("one", "two", "/three")),
    ],
)
def test_paths_printed_without_quotes_are_told_apart(text: str, expected: tuple[str, ...]) -> None:
    assert paths(text) == expected


def test_sent_variables_are_those_that_match_and_set_ones_win() -> None:
    found = options("sendenv LC_*", "sendenv LANG", "setenv LANG=C", "setenv GREETING=a b=c")
    sent = variables(found, ScriptedCaller(environment={"LC_ALL": "x", "LANG": "de", "SECRET": "s"}))
    assert sent == {"LC_ALL": "x", "LANG": "C", "GREETING": "a b=c"}


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
        ("tunnel ethernet", "ignored", ("Tunnel ethernet: rdo makes no tunnel devices",)),
        ("bindinterface lo", "refused", ("BindInterface lo: rdo cannot choose an interface: set BindAddress",)),
    ],
)
def test_each_option_is_understood(line: str, field: str, value: object) -> None:
    assert getattr(options(line), field) == value


def test_a_host_key_policy_that_there_is_not_is_an_error() -> None:
    with pytest.raises(ValueError, match="cannot be `maybe`"):
        options("stricthostkeychecking maybe")


def test_rsa_keys_have_to_have_what_ssh_wants_of_them_where_nothing_is_said() -> None:
    assert (options().algorithms.rsa_bits, options("requiredrsasize 3072").algorithms.rsa_bits) == (1024, 3072)


def test_a_local_command_counts_where_it_is_permitted() -> None:
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


@pytest.mark.parametrize(
    ("request_", "command"),
    [
        (SshQueryRequest("devbox"), "ssh-copy-id devbox"),
        (SshQueryRequest("devbox", "bob", 2222), "ssh-copy-id -p 2222 bob@devbox"),
        (SshQueryRequest("h", None, None, "~/a b", "gate", "/c"), "ssh-copy-id -F /c -i '~/a b' -o ProxyJump=gate h"),
    ],
)
def test_the_command_that_puts_a_key_there_has_what_was_configured(request_: SshQueryRequest, command: str) -> None:
    assert copy_command(request_) == command


def test_relative_paths_count_from_where_the_command_was_typed() -> None:
    lines = ("identityfile keys/%h", "revokedhostkeys revoked", "userknownhostsfile known")
    found = options(*lines, PWD="/work", SSH_AUTH_SOCK="agent")
    assert found.identity_files == ("/work/keys/devbox",)
    assert found.revoked_host_keys == ("/work/revoked",)
    assert (found.known_hosts, found.identity_agent) == (("/work/known",), "/work/agent")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*", {"A", "AB", "A[B]"}),
        ("A", {"A"}),
        ("A?", {"AB"}),
        ("A[B]", {"A[B]"}),
        ("a", set()),
        ("", set()),
    ],
)
def test_only_stars_and_question_marks_are_special_in_a_pattern(pattern: str, names: set[str]) -> None:
    caller = ScriptedCaller(environment=dict.fromkeys(("A", "AB", "A[B]"), "x"))
    assert set(variables(options(f"sendenv {pattern}"), caller)) == names


def test_without_options_or_patterns_nothing_of_the_environment_is_sent() -> None:
    caller = ScriptedCaller(environment={"A": "x"})
    assert variables(None, caller) == {}
    assert variables(options("setenv B=c"), caller) == {"B": "c"}
