"""Logging in to a real server: keys in files and in an agent, certificates, passphrases, more than one step."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from paramiko.common import (
    MSG_DISCONNECT,
    MSG_EXT_INFO,
    MSG_SERVICE_REQUEST,
    MSG_USERAUTH_FAILURE,
    MSG_USERAUTH_REQUEST,
    MSG_USERAUTH_SUCCESS,
)
from paramiko.message import Message

from rdo.errors import ConnectError
from tests.connecting import connected
from tests.integration.conftest import Connect, MakeServer
from tests.leaks import wait_until
from tests.odd_server import OddServer, Talk, text, uint32
from tests.servers import sshd_alone
from tests.ssh_client import BOUND, ScriptedCaller, driver, output
from tests.ssh_server import SshServer, make_key

PASSPHRASE = "correct horse"


@pytest.fixture
def agent() -> Iterator[dict[str, str]]:
    """A running agent without keys: the caller's environment that leads to it."""
    directory = tempfile.mkdtemp(prefix="rdo-", dir="/tmp")
    path = f"{directory}/agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()  # it prints its socket once it listens
    yield {"SSH_AUTH_SOCK": path, "PATH": os.environ["PATH"]}
    process.terminate()
    process.wait(5.0)
    process.stdout.close()
    shutil.rmtree(directory)


def add_to_agent(environment: dict[str, str], key: Path) -> None:
    subprocess.run(["ssh-add", "-q", str(key)], env=environment, check=True, stdin=subprocess.DEVNULL)


def config(server: SshServer, *lines: str) -> Path:
    """A configuration that names no key but those in `lines`."""
    path = server.ssh_config(extra=lines, name="login_config")
    path.write_text(path.read_text().replace(str(server.client_key), "none"))
    return path


@functools.cache
def rsa() -> tuple[bytes, bytes]:
    """Both halves of one key for all tests: it takes long to find one."""
    with tempfile.TemporaryDirectory() as directory:
        key = make_key(Path(directory, "key"), "rsa")
        return key.read_bytes(), key.with_suffix(".pub").read_bytes()


def rsa_key(path: Path) -> Path:
    path.touch(mode=0o600)
    for half, content in zip((path, Path(f"{path}.pub")), rsa(), strict=True):
        half.write_bytes(content)
    return path


def authorized(server: SshServer, directory: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    path = directory / f"key_{kind}"
    key = rsa_key(path) if kind == "rsa" else make_key(path, kind, passphrase)
    server.authorize(key)
    return key


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_key_of_each_kind_lets_us_in(kind: str, server: SshServer, connect: Connect, tmp_path: Path) -> None:
    key = authorized(server, tmp_path, kind)
    assert output(connect(config(server), identity=str(key)), "echo in") == (0, "in\n")


def test_a_key_in_the_older_pem_format_lets_us_in(server: SshServer, connect: Connect, tmp_path: Path) -> None:
    key = authorized(server, tmp_path, "rsa")
    subprocess.run(["ssh-keygen", "-q", "-p", "-m", "PEM", "-N", "", "-f", str(key)], check=True, capture_output=True)
    connect(config(server), identity=str(key))


def test_a_passphrase_is_asked_for_without_echo(server: SshServer, connect: Connect, tmp_path: Path) -> None:
    key = authorized(server, tmp_path, passphrase=PASSPHRASE)
    asked = ScriptedCaller(["wrong", PASSPHRASE])
    connect(config(server), caller=asked, identity=str(key))
    assert asked.asked == [(f"Enter passphrase for key '{key}': ", False)] * 2


def test_a_passphrase_is_asked_for_three_times(server: SshServer, tmp_path: Path) -> None:
    key = authorized(server, tmp_path, passphrase=PASSPHRASE)
    asked = ScriptedCaller(["wrong"] * 9)
    with pytest.raises(ConnectError, match=f"ssh-add {re.escape(str(key))}"):
        connected(driver(config(server), identity=str(key)), asked)
    assert len(asked.asked) == 3


def test_no_passphrase_is_asked_for_a_key_that_the_server_does_not_want(server: SshServer, tmp_path: Path) -> None:
    key = make_key(tmp_path / "stranger", passphrase=PASSPHRASE)
    asked = ScriptedCaller([PASSPHRASE])
    with pytest.raises(ConnectError, match="the server accepts `publickey`; tried `publickey`; "):
        connected(driver(config(server), identity=str(key)), asked)
    assert asked.asked == []


def test_without_a_terminal_the_locked_key_and_its_remedy_are_named(server: SshServer, tmp_path: Path) -> None:
    key = authorized(server, tmp_path, passphrase=PASSPHRASE)
    with pytest.raises(ConnectError) as failure:
        connected(driver(config(server), identity=str(key)), ScriptedCaller())
    assert f"the key `{key}` needs its passphrase" in str(failure.value)
    assert f"type `ssh-add {key}`" in str(failure.value)


def test_the_agent_of_the_caller_saves_the_passphrase(
    server: SshServer, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    key = authorized(server, tmp_path, "rsa")
    add_to_agent(agent, key)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", PASSPHRASE, "-f", str(key)], check=True, capture_output=True)
    asked = ScriptedCaller(environment=agent)
    connect(config(server, "IdentityAgent SSH_AUTH_SOCK"), caller=asked, identity=str(key))
    assert asked.asked == []


def test_other_keys_of_the_agent_are_tried_unless_that_is_forbidden(
    server: SshServer, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    add_to_agent(agent, authorized(server, tmp_path))
    connect(
        config(server, "IdentityAgent SSH_AUTH_SOCK", "IdentitiesOnly no"), caller=ScriptedCaller(environment=agent)
    )
    with pytest.raises(ConnectError, match="authentication failed"):
        connected(driver(config(server, "IdentityAgent SSH_AUTH_SOCK")), ScriptedCaller(environment=agent))


def test_a_stale_agent_socket_is_no_obstacle(server: SshServer, connect: Connect, tmp_path: Path) -> None:
    key = authorized(server, tmp_path)
    environment = {"SSH_AUTH_SOCK": str(tmp_path / "gone"), "PATH": os.environ["PATH"]}
    asked = ScriptedCaller(environment=environment)
    connect(config(server, "IdentityAgent SSH_AUTH_SOCK"), caller=asked, identity=str(key))


def test_the_agent_reaches_the_target_only_when_forwarded(
    server: SshServer, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    key = authorized(server, tmp_path)
    add_to_agent(agent, key)
    lines = ("IdentityAgent SSH_AUTH_SOCK", "IdentitiesOnly no", "ForwardAgent yes")
    forwarded = connect(config(server, *lines), caller=ScriptedCaller(environment=agent))
    assert output(forwarded, "ssh-add -L") == (0, key.with_suffix(".pub").read_text())
    plain = connect(config(server, *lines[:2]), caller=ScriptedCaller(environment=agent))
    assert output(plain, "echo ${SSH_AUTH_SOCK-none}") == (0, "none\n")


@sshd_alone("certificates")
@pytest.mark.parametrize("where", ["beside", "named", "agent"])
def test_a_certificate_lets_us_in_where_the_bare_key_does_not(
    where: str, own_server: MakeServer, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    authority, key = make_key(tmp_path / "ca"), rsa_key(tmp_path / "key")
    sign = ["ssh-keygen", "-q", "-s", str(authority), "-I", "me", "-n", _user(), f"{key}.pub"]
    subprocess.run(sign, check=True, capture_output=True)
    lines = ["IdentityAgent SSH_AUTH_SOCK", f"IdentityFile {key}"]
    if where == "named":
        shutil.move(tmp_path / "key-cert.pub", tmp_path / "elsewhere.pub")
        lines.append(f"CertificateFile {tmp_path / 'elsewhere.pub'}")
    elif where == "agent":
        add_to_agent(agent, key)
        key.unlink()
    with own_server(f"TrustedUserCAKeys {authority}.pub") as server:
        connect(config(server, *lines, "IdentitiesOnly no"), caller=ScriptedCaller(environment=agent))
        assert "Accepted publickey for" in server.log
        assert "RSA-CERT" in server.log


@sshd_alone("AuthenticationMethods")
def test_two_keys_are_given_where_two_are_wanted(own_server: MakeServer, connect: Connect, tmp_path: Path) -> None:
    server = own_server("AuthenticationMethods publickey,publickey")
    keys = [authorized(server, tmp_path, kind) for kind in ("ed25519", "ecdsa")]
    with server:
        connect(config(server, *(f"IdentityFile {key}" for key in keys)))
        assert "Partial publickey" in server.log


def test_a_key_that_others_may_read_is_left_out_and_named(server: SshServer, tmp_path: Path) -> None:
    key = authorized(server, tmp_path)
    key.chmod(0o644)
    asked = ScriptedCaller()
    with pytest.raises(ConnectError, match="permissions 0644 are too open"):
        connected(driver(config(server), identity=str(key)), asked)
    assert asked.told == [f"rdo: the key `{key}` is not used: permissions 0644 are too open"]


def test_a_key_file_that_is_missing_is_named(server: SshServer, tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match=r"the key `.*missing`: there is no such file"):
        connected(driver(config(server), identity=str(tmp_path / "missing")), ScriptedCaller())


def test_a_file_that_is_no_key_does_not_keep_the_next_from_working(
    server: SshServer, connect: Connect, tmp_path: Path
) -> None:
    junk = tmp_path / "junk"
    junk.write_text("no key\n")
    junk.chmod(0o600)
    connect(config(server, f"IdentityFile {junk}", f"IdentityFile {authorized(server, tmp_path)}"))


@sshd_alone("a count of keys")
def test_too_many_keys_end_in_a_line_that_says_so(own_server: MakeServer, tmp_path: Path) -> None:
    keys = [make_key(tmp_path / f"key{number}") for number in range(3)]
    why = "Too many authentication failures; 2 keys were tried: .* IdentitiesOnly"
    with own_server(tries=2) as server, pytest.raises(ConnectError, match=why):
        connected(driver(config(server, *(f"IdentityFile {key}" for key in keys))), ScriptedCaller())


@pytest.mark.parametrize(("words", "keys"), [("trop d'essais", 2), ("too many", 1)])
def test_what_the_server_says_as_it_hangs_up_has_no_say_in_the_advice(words: str, keys: int, tmp_path: Path) -> None:
    def hang_up(talk: Talk, message: Message) -> None:
        if len(seen) + 1 < keys:
            seen.append(message)
            talk.say(MSG_USERAUTH_FAILURE, text(b"publickey") + b"\0")
        else:
            talk.say(MSG_DISCONNECT, uint32(2) + text(words.encode()) + text(b""))

    seen: list[Message] = []
    files = [make_key(tmp_path / f"key{number}") for number in range(keys)]
    with OddServer(tmp_path, None, {MSG_USERAUTH_REQUEST: hang_up}) as server:
        named = "\n  ".join(f"IdentityFile {key}" for key in files)
        server.ssh_config.write_text(server.ssh_config.read_text().replace("IdentityFile none", named))
        with pytest.raises(ConnectError, match=words) as failure:
            connected(driver(server.ssh_config), ScriptedCaller())
    assert ("IdentitiesOnly" in str(failure.value)) is (keys > 1)


@pytest.mark.parametrize("gone", [False, True], ids=["beside the private key", "alone"])
@pytest.mark.parametrize("named", ["key_rsa.pub", "key_rsa"])
def test_a_public_key_names_the_one_that_the_agent_shall_use(
    named: str, gone: bool, server: SshServer, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    add_to_agent(agent, make_key(tmp_path / "other"))
    key = authorized(server, tmp_path, "rsa")
    add_to_agent(agent, key)
    if gone:
        key.unlink()
    (tmp_path / "key_rsa.pub").chmod(0o644)
    asked = ScriptedCaller(environment=agent)
    lines = ("IdentityAgent SSH_AUTH_SOCK", "IdentitiesOnly yes", f"IdentityFile {tmp_path / named}")
    connect(config(server, *lines), caller=asked)
    assert asked.told == []


def test_a_private_key_that_others_may_read_is_used_by_the_agent_that_has_it(
    server: SshServer, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    key = authorized(server, tmp_path)
    add_to_agent(agent, key)
    key.chmod(0o644)
    asked = ScriptedCaller(environment=agent)
    connect(config(server, "IdentityAgent SSH_AUTH_SOCK", f"IdentityFile {key}"), caller=asked)
    assert asked.told == []


def test_a_public_key_without_its_private_half_is_named(server: SshServer, tmp_path: Path) -> None:
    key = authorized(server, tmp_path)
    key.unlink()
    why = r"key_ed25519.pub`: it is a public key, and the agent does not have its private half"
    with pytest.raises(ConnectError, match=why):
        connected(driver(config(server), identity=f"{key}.pub"), ScriptedCaller())


@sshd_alone("certificates")
@pytest.mark.parametrize("how", ["named", "in place of the public key"])
def test_a_certificate_may_stand_where_the_public_key_does(
    how: str, own_server: MakeServer, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    authority, key = make_key(tmp_path / "ca"), make_key(tmp_path / "key")
    sign = ["ssh-keygen", "-q", "-s", str(authority), "-I", "me", "-n", _user(), f"{key}.pub"]
    subprocess.run(sign, check=True, capture_output=True)
    certificate = tmp_path / "key-cert.pub"
    lines = ["IdentityAgent SSH_AUTH_SOCK", "IdentitiesOnly yes"]
    if how == "named":
        add_to_agent(agent, key)
        subprocess.run(["ssh-add", "-d", str(key)], env=agent, check=True, capture_output=True)
        shutil.move(certificate, tmp_path / "mine.pub")
        add_to_agent(agent, key)
        key.unlink()
        lines.append(f"IdentityFile {tmp_path / 'mine.pub'}")
    else:
        shutil.move(certificate, tmp_path / "key.pub")
        lines.append(f"IdentityFile {key}")
    with own_server(f"TrustedUserCAKeys {authority}.pub") as server:
        connect(config(server, *lines), caller=ScriptedCaller(environment=agent))
        assert wait_until(lambda: "ED25519-CERT" in server.log, BOUND)


@pytest.mark.parametrize("agent_has_it", [False, True], ids=["file", "agent"])
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("PubkeyAcceptedAlgorithms ssh-ed25519", "PubkeyAcceptedAlgorithms has no algorithm for it"),
        ("RequiredRSASize 4096", "3072 bits, and RequiredRSASize is 4096"),
    ],
)
def test_a_key_that_the_configuration_does_not_allow_is_not_used(
    line: str, why: str, agent_has_it: bool, server: SshServer, tmp_path: Path, agent: dict[str, str]
) -> None:
    key = authorized(server, tmp_path, "rsa")
    if agent_has_it:
        add_to_agent(agent, key)
    accepted = server.logins
    lines = ("IdentityAgent SSH_AUTH_SOCK", f"IdentityFile {key}", line)
    with pytest.raises(ConnectError, match=why):
        connected(driver(config(server, *lines)), ScriptedCaller(environment=agent))
    assert server.logins == accepted


def test_a_refused_login_says_how_to_put_a_key_there_and_what_was_tried(server: SshServer, tmp_path: Path) -> None:
    file = config(server, f"IdentityFile {make_key(tmp_path / 'stranger')}")
    with pytest.raises(ConnectError) as failure:
        connected(driver(file, user=_user()), ScriptedCaller())
    text = str(failure.value)
    assert "the server accepts `publickey`; tried `publickey`; " in text
    assert text.endswith(f"as by `ssh-copy-id -F {file} {_user()}@devbox`")


def test_of_many_keys_that_fail_the_error_names_the_first(server: SshServer, tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match=r"key0.*key2.*; 17 more keys failed; ") as failure:
        connected(
            driver(config(server, *(f"IdentityFile {tmp_path}/key{each}" for each in range(20)))), ScriptedCaller()
        )
    assert "key3" not in str(failure.value)


def test_a_file_that_the_ssh_configuration_names_and_that_is_missing_is_named(
    server: SshServer, tmp_path: Path
) -> None:
    asked = ScriptedCaller()
    with pytest.raises(ConnectError):
        connected(driver(config(server, f"IdentityFile {tmp_path / 'gone'}", "IdentityFile ~/.ssh/id_dsa")), asked)
    assert asked.told == [f"rdo: the key `{tmp_path / 'gone'}` is not used: there is no such file"]


def test_a_passphrase_is_asked_for_by_ssh_askpass_where_there_is_no_terminal(
    server: SshServer, connect: Connect, tmp_path: Path
) -> None:
    key = authorized(server, tmp_path, passphrase=PASSPHRASE)
    program = tmp_path / "ask"
    program.write_text(f"#!/bin/sh\necho '{PASSPHRASE}'\n")
    program.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "SSH_ASKPASS": str(program), "DISPLAY": ":9"}
    connect(config(server), caller=ScriptedCaller(environment=environment), identity=str(key))


def test_in_batch_mode_nothing_is_asked(server: SshServer, tmp_path: Path) -> None:
    key = authorized(server, tmp_path, passphrase=PASSPHRASE)
    asked = ScriptedCaller([PASSPHRASE])
    with pytest.raises(ConnectError, match="needs its passphrase"):
        connected(driver(config(server, "BatchMode yes"), identity=str(key)), asked)
    assert asked.asked == []


@pytest.mark.parametrize("permitted", ["yes", "no"])
def test_a_local_command_is_run_once_connected_where_that_is_permitted(
    permitted: str, server: SshServer, connect: Connect, caller: ScriptedCaller
) -> None:
    lines = ("LocalCommand echo to %n as %r; echo no >&2; exit 3", f"PermitLocalCommand {permitted}")
    connection = connect(server.ssh_config(extra=lines, name="local_command"))
    assert output(connection, "echo in") == (0, "in\n")
    assert caller.told == ([f"to devbox as {server.user or _user()}", "no"] if permitted == "yes" else [])


def test_a_quiet_log_level_silences_banner_and_notices(
    own_server: MakeServer, connect: Connect, tmp_path: Path
) -> None:
    (tmp_path / "banner").write_text("private machine\n")
    with own_server(banner=tmp_path / "banner") as server:
        for level, told in (("INFO", True), ("ERROR", False), ("QUIET", False)):
            server.known_hosts.unlink(missing_ok=True)
            caller = ScriptedCaller()
            connect(server.ssh_config(extra=[f"LogLevel {level}", "StrictHostKeyChecking no"]), caller=caller)
            assert ("private machine" in caller.told) is told
            assert bool(caller.told) is told


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("value", ["yes", "no", "ask", "confirm", "1h"])
def test_a_key_that_was_right_is_given_to_the_agent_as_configured(
    value: str, kind: str, server: SshServer, connect: Connect, tmp_path: Path, agent: dict[str, str]
) -> None:
    key = authorized(server, tmp_path, kind)
    lines = ("IdentityAgent SSH_AUTH_SOCK", f"IdentityFile {key}", f"AddKeysToAgent {value}")
    asked = ScriptedCaller(["yes"] if kind == "rsa" else [], environment=agent)
    connect(config(server, *lines), caller=asked)
    held = subprocess.run(["ssh-add", "-L"], env=agent, capture_output=True, text=True, check=False).stdout
    expected = value in ("yes", "confirm", "1h") or (value == "ask" and kind == "rsa")
    assert (key.with_suffix(".pub").read_text().split()[1] in held) is expected
    assert bool(asked.asked) is (value == "ask")
    if expected and value in ("yes", "1h"):
        key.unlink()
        connect(config(server, *lines[:2], "IdentitiesOnly no"), caller=ScriptedCaller(environment=agent))


def _user() -> str:
    return subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("announced", [b"rsa-sha2-512", b""], ids=["late", "not at all"])
def test_a_server_is_heard_out_before_a_signature_is_chosen(announced: bytes, connect: Connect, tmp_path: Path) -> None:
    """What it knows comes before the answer to our first message, and may come long after its keys."""
    seen: list[bytes] = []

    def accept(talk: Talk, message: Message) -> None:
        if announced:
            threading.Event().wait(1.0)
            talk.say(MSG_EXT_INFO, uint32(1) + text(b"server-sig-algs") + text(announced))
        talk.accept_service(message)

    def let_in(talk: Talk, message: Message) -> None:
        fields = [message.get_string() for _ in range(3)]
        assert fields[2] == b"publickey"
        is_signed = message.get_boolean()
        seen.append(message.get_string())
        if is_signed:
            talk.say(MSG_USERAUTH_SUCCESS)
        else:
            talk.say(60, text(seen[-1]) + text(message.get_string()))

    key = rsa_key(tmp_path / "key")
    with OddServer(tmp_path, None, {MSG_SERVICE_REQUEST: accept, MSG_USERAUTH_REQUEST: let_in}) as server:
        lines = server.ssh_config.read_text().replace("IdentityFile none", f"IdentityFile {key}")
        server.ssh_config.write_text(f"{lines}  PubkeyAcceptedAlgorithms ssh-rsa,rsa-sha2-512\n")
        connect(server.ssh_config)
    assert set(seen) == {announced or b"ssh-rsa"}
