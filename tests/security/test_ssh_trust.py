"""What the user's ssh configuration says of whom to trust: where ssh refuses a server, so does rdo, before the login.

Each case is tried with `ssh` too, so that it shows what ssh does, and not what we think it does.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rdo.errors import ConnectError
from tests.connecting import connected
from tests.integration.conftest import Connect
from tests.ssh_client import ScriptedCaller, driver, output
from tests.ssh_server import make_key
from tests.sshd import Sshd

CERTIFIED = "ssh-ed25519-cert-v01@openssh.com"
STRICT = "StrictHostKeyChecking yes"


def public(key: Path) -> str:
    return " ".join(key.with_name(f"{key.name}.pub").read_text().split()[:2])


def keygen(*words: object) -> None:
    subprocess.run(["ssh-keygen", "-q", *map(str, words)], check=True, capture_output=True, stdin=subprocess.DEVNULL)


def ssh_connects(config: Path) -> bool:
    command = ["ssh", "-F", str(config), "-o", "BatchMode=yes", "devbox", "true"]
    return (
        subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False).returncode == 0
    )


def refusal(config: Path, server: Sshd, *answers: str) -> str:
    """Why rdo does not connect, as ssh does not; nobody has tried to log in."""
    assert not ssh_connects(config)
    before = server.log.count("Accepted") + server.log.count("Failed") + server.log.count("Postponed")
    with pytest.raises(ConnectError) as failure:
        connected(driver(config), ScriptedCaller(answers))
    assert server.log.count("Accepted") + server.log.count("Failed") + server.log.count("Postponed") == before
    return str(failure.value)


# RevokedHostKeys


def revoked_by(form: str, directory: Path, server: Sshd) -> Path:
    """A file that revokes the server's keys: as `form` says."""
    names = [f"{key}.pub" for key in server.host_keys]
    path = directory / "revoked keys"
    if form == "list":
        path.write_text("# stolen\n" + "".join(Path(name).read_text() for name in names))
    else:
        (directory / "spec").write_text("".join(f"{form}: {Path(name).read_text()}" for name in names))
        keygen("-k", "-f", path, directory / "spec")
    return path


@pytest.mark.parametrize("policy", ["yes", "no"])
@pytest.mark.parametrize("form", ["list", "key", "sha1"])
def test_a_key_in_revoked_host_keys_is_refused(form: str, policy: str, sshd: Sshd, tmp_path: Path) -> None:
    path = revoked_by(form, tmp_path, sshd)
    config = sshd.ssh_config(extra=[f'RevokedHostKeys "{path}"', f"StrictHostKeyChecking {policy}"], name="revoked")
    assert f"by `{path}` (RevokedHostKeys)" in refusal(config, sshd, "yes")


@pytest.mark.parametrize("content", [None, "junk\n", "SSHKRL\n\0junk"], ids=["missing", "junk", "half a KRL"])
def test_revoked_host_keys_that_cannot_be_checked_forbid_the_connection(
    content: str | None, sshd: Sshd, tmp_path: Path
) -> None:
    path = tmp_path / "revoked"
    if content is not None:
        path.write_text(content)
    config = sshd.ssh_config(extra=[f"RevokedHostKeys {path}"], name="revoked")
    assert "(RevokedHostKeys)" in refusal(config, sshd)


def test_revoked_host_keys_that_name_another_key_allow_it(sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
    path = make_key(tmp_path / "other").with_suffix(".pub")
    connect(sshd.ssh_config(extra=[f"RevokedHostKeys {path}"], name="revoked"))


@pytest.mark.parametrize("option", ["RevokedHostKeys", "RequiredRSASize"])
def test_what_no_host_may_show_this_machine_may_not_either(
    option: str, own_sshd: Callable[..., Sshd], tmp_path: Path
) -> None:
    server = own_sshd()
    server.host_keys = [make_key(tmp_path / "host", "rsa")]
    with server:
        value = f"{tmp_path}/host.pub" if option == "RevokedHostKeys" else "8192"
        extra = [f"{option} {value}", "NoHostAuthenticationForLocalhost yes"]
        assert option in refusal(server.ssh_config(extra=extra), server)


@pytest.mark.parametrize("kind", ["ssh-rsa", "SSH-ED25519"])
def test_a_line_whose_key_is_of_another_type_than_it_says_makes_nothing_known(
    kind: str, sshd: Sshd, tmp_path: Path
) -> None:
    known = tmp_path / "known"
    known.write_text(f"* {kind} {public(sshd.host_keys[0]).split()[1]}\n")
    config = sshd.ssh_config(extra=[f"UserKnownHostsFile {known}", STRICT], name="mistyped")
    assert "is not known" in refusal(config, sshd)


def test_relative_known_hosts_are_as_many_files_as_there_are_names(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "known").write_text(f"* {public(sshd.host_keys[0])}\n")
    (tmp_path / "revoked").write_text(f"@revoked * {public(sshd.host_keys[0])}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", str(tmp_path))
    config = sshd.ssh_config(extra=["UserKnownHostsFile known revoked"], name="relative")
    assert "is revoked" in refusal(config, sshd)


# Algorithms


@pytest.mark.parametrize("option", ["Ciphers", "MACs", "KexAlgorithms", "HostKeyAlgorithms"])
def test_a_list_from_which_all_is_taken_allows_nothing(option: str, sshd: Sshd) -> None:
    extra = [f"{option} -*", *(["Ciphers aes128-ctr"] if option == "MACs" else [])]
    assert "allows none at all" in refusal(sshd.ssh_config(extra=extra, name="emptied"), sshd)


def test_no_key_is_used_where_no_algorithm_for_keys_is_left(sshd: Sshd) -> None:
    config = sshd.ssh_config(extra=["PubkeyAcceptedAlgorithms -*"], name="emptied")
    assert not ssh_connects(config)
    with pytest.raises(ConnectError, match="PubkeyAcceptedAlgorithms has no algorithm for it"):
        connected(driver(config), ScriptedCaller())


@pytest.mark.parametrize(
    ("server_side", "client_side"),
    [
        ("Ciphers aes128-ctr", "Ciphers aes256-gcm@openssh.com"),
        ("MACs hmac-sha1\nCiphers aes128-ctr", "MACs hmac-sha2-256"),
        ("KexAlgorithms diffie-hellman-group14-sha256", "KexAlgorithms curve25519-sha256"),
        ("HostKeyAlgorithms ssh-ed25519", "HostKeyAlgorithms ecdsa-sha2-nistp256"),
    ],
    ids=["cipher", "MAC", "key exchange", "host key"],
)
def test_a_server_that_wants_an_algorithm_that_is_not_allowed_is_refused(
    server_side: str, client_side: str, own_sshd: Callable[..., Sshd]
) -> None:
    with own_sshd(*server_side.split("\n")) as server:
        refusal(server.ssh_config(extra=[client_side]), server)


@pytest.mark.parametrize(
    ("option", "value"),
    [("Ciphers", "chacha20-poly1305@openssh.com"), ("KexAlgorithms", "sntrup761x25519-sha512@openssh.com")],
)
def test_a_configuration_that_allows_only_what_rdo_cannot_do_is_refused_by_name(
    option: str, value: str, sshd: Sshd
) -> None:
    with pytest.raises(ConnectError, match=f"rdo supports none of the {option} of this host: .*{value}"):
        connected(driver(sshd.ssh_config(extra=[f"{option} {value}"], name="odd")), ScriptedCaller())


def test_what_is_agreed_on_is_what_the_user_allows(sshd: Sshd, connect: Connect) -> None:
    lines = ["Ciphers aes256-ctr", "MACs hmac-sha2-512"]
    transport = connect(sshd.ssh_config(extra=lines, name="strict"))._transport
    assert (transport.local_cipher, transport.local_mac) == ("aes256-ctr", "hmac-sha2-512")


def test_sha1_signatures_of_old_servers_count_only_where_they_are_named(
    own_sshd: Callable[..., Sshd], connect: Connect, tmp_path: Path
) -> None:
    server = own_sshd("HostKeyAlgorithms ssh-rsa")
    server.host_keys = [make_key(tmp_path / "host", "rsa")]
    server.trust()
    with server:
        refusal(server.ssh_config(), server)
        assert output(connect(server.ssh_config(extra=["HostKeyAlgorithms +ssh-rsa"], name="old")), "echo in") == (
            0,
            "in\n",
        )


def test_a_host_key_that_is_too_short_is_refused(own_sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    server = own_sshd()
    server.host_keys = [tmp_path / "host"]
    keygen("-t", "rsa", "-b", 2048, "-N", "", "-f", tmp_path / "host")
    server.trust()
    with server:
        text = refusal(server.ssh_config(extra=["RequiredRSASize 3072"]), server)
        assert "RSA with 2048 bits, and RequiredRSASize is 3072" in text


# Certificates of hosts


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("authority") / "ca")


Certified = Callable[..., Sshd]


@pytest.fixture
def certified(own_sshd: Callable[..., Sshd], authority: Path) -> Certified:
    """A server with a certificate by the authority, signed with these words of ssh-keygen's."""

    def make(*words: object) -> Sshd:
        server = own_sshd()
        names = [] if "-n" in words else ["-n", "127.0.0.1"]
        keygen("-s", authority, "-I", "the host", "-h", *names, *words, f"{server.host_keys[0]}.pub")
        server.config_lines = [f"HostCertificate {server.host_keys[0]}-cert.pub"]
        server.known_hosts.write_text(f"@cert-authority * {public(authority)}\n")
        return server.start()

    return make


def test_a_certificate_by_a_known_authority_is_trusted(certified: Certified, connect: Connect) -> None:
    server = certified()
    config = server.ssh_config(extra=[STRICT])
    assert ssh_connects(config)
    assert output(connect(config), "echo in") == (0, "in\n")
    assert server.known_hosts.read_text().count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["-n", "elsewhere"],
        ["-V", "20200101:20200102"],
        ["-O", "critical:odd@example.com=1"],
    ],
    ids=["another host's", "expired", "with an unknown critical option"],
)
def test_a_certificate_that_does_not_count_is_refused(words: list[str], certified: Certified) -> None:
    server = certified(*words)
    assert "is not known" in refusal(server.ssh_config(extra=[STRICT]), server)


def test_a_certificate_by_an_unknown_authority_is_refused(certified: Certified, tmp_path: Path) -> None:
    server = certified()
    server.known_hosts.write_text(f"@cert-authority * {public(make_key(tmp_path / 'wrong'))}\n")
    assert "is not known" in refusal(server.ssh_config(extra=[STRICT]), server)


def test_an_authority_of_other_hosts_is_none_of_this_one(certified: Certified, authority: Path) -> None:
    server = certified()
    server.known_hosts.write_text(f"@cert-authority *.example.com {public(authority)}\n")
    assert "is not known" in refusal(server.ssh_config(extra=[STRICT]), server)


@pytest.mark.parametrize("how", ["@revoked authority", "@revoked key", "RevokedHostKeys", "serial number"])
def test_what_is_revoked_is_refused_in_spite_of_a_certificate(
    how: str, certified: Certified, authority: Path, tmp_path: Path
) -> None:
    server = certified("-z", 7)
    extra = [STRICT]
    if how.startswith("@revoked"):
        key = authority if how.endswith("authority") else server.host_keys[0]
        with server.known_hosts.open("a") as file:
            file.write(f"@revoked * {public(key)}\n")
    elif how == "RevokedHostKeys":
        extra.append(f"RevokedHostKeys {authority}.pub")
    else:
        (tmp_path / "spec").write_text("serial: 5-9\n")
        keygen("-k", "-f", tmp_path / "krl", "-s", f"{authority}.pub", tmp_path / "spec")
        extra.append(f"RevokedHostKeys {tmp_path / 'krl'}")
    assert "is revoked" in refusal(server.ssh_config(extra=extra), server)


def test_a_signature_of_an_authority_that_is_not_allowed_does_not_count(certified: Certified) -> None:
    server = certified()
    config = server.ssh_config(extra=[STRICT, "CASignatureAlgorithms rsa-sha2-512"])
    assert "is not known" in refusal(config, server)


def test_no_signature_of_an_authority_counts_where_none_is_left(certified: Certified) -> None:
    server = certified()
    assert "is not known" in refusal(server.ssh_config(extra=[STRICT, "CASignatureAlgorithms -*"]), server)


def test_an_authority_that_signs_with_sha1_counts_only_where_that_is_named(
    own_sshd: Callable[..., Sshd], connect: Connect, tmp_path: Path
) -> None:
    server, old = own_sshd(), make_key(tmp_path / "old", "rsa")
    keygen("-t", "ssh-rsa", "-s", old, "-I", "x", "-h", "-n", "127.0.0.1", f"{server.host_keys[0]}.pub")
    server.config_lines = [f"HostCertificate {server.host_keys[0]}-cert.pub"]
    server.known_hosts.write_text(f"@cert-authority * {public(old)}\n")
    with server:
        assert "is not known" in refusal(server.ssh_config(extra=[STRICT]), server)
        connect(server.ssh_config(extra=[STRICT, "CASignatureAlgorithms +ssh-rsa"], name="old"))


def test_a_known_key_may_be_shown_in_a_certificate_that_does_not_count(certified: Certified, connect: Connect) -> None:
    server = certified()
    server.trust()
    config = server.ssh_config(extra=[STRICT, "HostKeyAlgorithms *-cert-v01@openssh.com"])
    assert ssh_connects(config)
    connect(config)


def test_certificates_are_not_taken_where_the_user_allows_none(certified: Certified) -> None:
    server = certified()
    assert "is not known" in refusal(server.ssh_config(extra=[STRICT, f"HostKeyAlgorithms -{CERTIFIED}"]), server)


# What the program that gives known hosts says


def commanded(server: Sshd, directory: Path, text: str, status: int = 0) -> list[str]:
    program = directory / "known hosts"
    program.write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"$*\" >>'{directory}/calls'\ncat <<'END'\n{text}\nEND\nexit {status}\n"
    )
    program.chmod(0o755)
    return [f"""KnownHostsCommand "{program}" %I %H %t""", STRICT, "UserKnownHostsFile none"]


def test_a_known_hosts_command_makes_a_key_known(sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
    name = f"[127.0.0.1]:{sshd.port}"
    extra = commanded(sshd, tmp_path, f"{name} {public(sshd.host_keys[1])}")
    connect(sshd.ssh_config(extra=extra, name="commanded"))
    calls = (tmp_path / "calls").read_text().split("\n")
    assert calls[:2] == ["ORDER 127.0.0.1 NONE", f"HOSTNAME {name} ecdsa-sha2-nistp256"]


def test_a_known_hosts_command_gets_the_words_that_ssh_gives_it(sshd: Sshd, connect: Connect, tmp_path: Path) -> None:
    extra = commanded(sshd, tmp_path, f"* {public(sshd.host_keys[0])}")
    config = sshd.ssh_config(extra=[f"{extra[0]} %f %K %h %p %r %u %n %C %i %L %l %k %% %d", *extra[1:]], name="words")
    assert ssh_connects(config)
    connect(config)
    calls = (tmp_path / "calls").read_text().split("\n")[:4]
    assert calls[2:] == calls[:2]


def test_a_known_hosts_command_with_a_token_that_stands_for_nothing_forbids_the_connection(sshd: Sshd) -> None:
    for word in ("%z", "${RDO_TEST_UNSET}"):
        text = refusal(sshd.ssh_config(extra=[f"KnownHostsCommand /bin/true {word}"], name="odd"), sshd)
        assert "has no value" in text


def test_a_known_hosts_command_that_revokes_the_key_is_heeded(sshd: Sshd, tmp_path: Path) -> None:
    keys = [public(key) for key in sshd.host_keys]
    extra = commanded(
        sshd, tmp_path, "\n".join([*(f"* {key}" for key in keys), *(f"@revoked * {key}" for key in keys)])
    )
    assert "is revoked" in refusal(sshd.ssh_config(extra=extra, name="commanded"), sshd)


def test_a_known_hosts_command_that_fails_forbids_the_connection(sshd: Sshd, tmp_path: Path) -> None:
    extra = commanded(sshd, tmp_path, f"* {public(sshd.host_keys[0])}", status=3)
    assert "failed: status 3" in refusal(sshd.ssh_config(extra=extra, name="commanded"), sshd)


# Others


def test_a_changed_key_of_this_machine_is_no_obstacle_only_where_that_was_asked_for(
    sshd: Sshd, connect: Connect, tmp_path: Path
) -> None:
    other = public(make_key(tmp_path / "other"))
    (tmp_path / "known").write_text(f"[127.0.0.1]:{sshd.port} {other}\n")
    lines = [f"UserKnownHostsFile {tmp_path / 'known'}"]
    assert "has changed" in refusal(sshd.ssh_config(extra=lines, name="local"), sshd)
    connect(sshd.ssh_config(extra=[*lines, "NoHostAuthenticationForLocalhost yes"], name="local"))
    lines.append("HostKeyAlias box")
    (tmp_path / "known").write_text(f"box {other}\n")
    refusal(sshd.ssh_config(extra=[*lines, "NoHostAuthenticationForLocalhost yes"], name="local"), sshd)


def test_an_option_that_must_not_be_left_out_forbids_the_connection(sshd: Sshd) -> None:
    with pytest.raises(ConnectError, match="BindInterface lo: rdo cannot choose an interface"):
        connected(driver(sshd.ssh_config(extra=["BindInterface lo"], name="bound")), ScriptedCaller())


def test_options_without_effect_are_named_to_who_asks_for_details(sshd: Sshd, connect: Connect) -> None:
    caller = ScriptedCaller()
    connect(sshd.ssh_config(extra=["ForwardX11 yes", "EscapeChar ^]"], name="odd"), caller=caller)
    named = [line for line in caller.traced if "ignored in the ssh configuration" in line]
    assert any(line.endswith("ForwardX11 yes: rdo does not forward X11") for line in named)
    assert any("EscapeChar" in line for line in named)
    assert caller.told == []


# Without an ssh program


ALONE = {"PATH": "/nonexistent"}


def test_without_an_ssh_program_revoked_keys_are_refused_all_the_same(sshd: Sshd, tmp_path: Path) -> None:
    path = revoked_by("list", tmp_path, sshd)
    config = sshd.ssh_config(extra=[f"RevokedHostKeys {path}"], name="revoked")
    with pytest.raises(ConnectError, match="is revoked"):
        connected(driver(config), ScriptedCaller(environment=ALONE))


@pytest.mark.parametrize("name", ["missing", "two words"])
def test_without_an_ssh_program_a_file_that_cannot_be_read_forbids_it_too(
    name: str, sshd: Sshd, tmp_path: Path
) -> None:
    config = sshd.ssh_config(extra=[f'RevokedHostKeys "{tmp_path / name}"'], name="revoked")
    with pytest.raises(ConnectError, match=r"\(RevokedHostKeys\)"):
        connected(driver(config), ScriptedCaller(environment=ALONE))


def test_without_an_ssh_program_algorithms_count_and_lists_are_changed(sshd: Sshd, connect: Connect) -> None:
    extra = ["Ciphers -aes128*,aes256-gcm*", "MACs hmac-sha2-512", "HostKeyAlgorithms +ssh-rsa", "CheckHostIP yes"]
    connection = connect(sshd.ssh_config(extra=extra, name="alone"), caller=ScriptedCaller(environment=ALONE))
    assert (connection._transport.local_cipher, connection._transport.local_mac) == ("aes192-ctr", "hmac-sha2-512")
    assert connection.options.algorithms.host_keys
    assert connection.options.algorithms.host_keys[-1] == "ssh-rsa"
