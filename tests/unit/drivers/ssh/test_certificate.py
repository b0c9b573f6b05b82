"""Tests for host certificates created by ssh-keygen: their content, and which are rejected."""

from __future__ import annotations

import base64
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from rdo.drivers.ssh.algorithms import SIGNATURES
from rdo.drivers.ssh.certificate import parse, plain, prove, verify
from rdo.drivers.ssh.fields import string
from tests.login_keys import rsa_key

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")

NOBODY = "for nobody"
"""Options for a certificate without any principal."""

KINDS = ["ed25519", "ecdsa", "rsa"]


def keygen(*words: object) -> None:
    subprocess.run(["ssh-keygen", "-q", *map(str, words)], check=True, capture_output=True, stdin=subprocess.DEVNULL)


def make_key(path: Path, kind: str = "ed25519") -> Path:
    if kind == "rsa":
        return rsa_key(path)
    keygen("-t", kind, "-N", "", "-f", path)
    return path


def blob(path: Path | str) -> bytes:
    return base64.b64decode(Path(path).read_text().split(" ")[1])


def sign(directory: Path, *words: object, kind: str = "ed25519", ca: str = "ed25519", host: bool = True) -> bytes:
    """A certificate by a new authority, `directory`/ca, for a new key, `directory`/key."""
    authority, key = make_key(directory / "ca", ca), make_key(directory / "key", kind)
    names = [] if "-n" in words or NOBODY in words else ["-n", "devbox"]
    given = [word for word in words if word != NOBODY]
    keygen("-s", authority, "-I", "the id", *(["-h"] if host else []), *names, *given, f"{key}.pub")
    return blob(directory / "key-cert.pub")


@pytest.mark.parametrize("ca", KINDS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_holds_the_key_and_who_signed_it(kind: str, ca: str, tmp_path: Path) -> None:
    found = parse(sign(tmp_path, "-z", 7, kind=kind, ca=ca))
    assert found.public == blob(tmp_path / "key.pub") == plain(blob(tmp_path / "key-cert.pub"))
    assert found.authority == blob(tmp_path / "ca.pub")
    assert (found.serial, found.key_id, found.principals) == (7, b"the id", (b"devbox",))
    assert found.fault("devbox", time.time(), SIGNATURES) == ""


def test_a_plain_key_is_left_as_it_is(tmp_path: Path) -> None:
    key = blob(f"{make_key(tmp_path / 'key')}.pub")
    assert plain(key) == key
    with pytest.raises(ValueError, match="a certificate of an unsupported kind"):
        parse(key)


@pytest.mark.parametrize(
    ("words", "name", "why"),
    [
        (["-n", "devbox,other"], "other", ""),
        (["-n", "*.example.com"], "a.example.com", ""),
        (["-n", "*.example.com"], "example.com", "it is not valid for `example.com`"),
        (["-n", "[a]"], "a", "it is not valid for `a`"),
        ([], "evil", "it is not valid for `evil`"),
        ([NOBODY], "devbox", "it does not name a host"),
        (["-V", "20200101:20200102"], "devbox", "it has expired"),
        (["-V", "20900101:20910101"], "devbox", "it is not yet valid"),
        (["-O", "critical:odd@example.com=1"], "devbox", "it has unknown critical options"),
    ],
)
def test_a_certificate_is_valid_for_its_hosts_in_its_period(
    words: list[str], name: str, why: str, tmp_path: Path
) -> None:
    assert parse(sign(tmp_path, *words)).fault(name, time.time(), SIGNATURES) == why


def test_a_user_certificate_is_not_a_host_certificate(tmp_path: Path) -> None:
    found = parse(sign(tmp_path, host=False))
    assert found.fault("devbox", time.time(), SIGNATURES) == "it is not a host certificate"


def test_the_authority_has_to_sign_with_an_allowed_algorithm(tmp_path: Path) -> None:
    found = parse(sign(tmp_path, "-t", "rsa-sha2-256", ca="rsa"))
    assert found.signature == "rsa-sha2-256"
    assert found.fault("devbox", time.time(), ["rsa-sha2-512"]).startswith("it is signed with rsa-sha2-256: ")


@pytest.mark.parametrize("at", [-1, -40, 60, 200], ids=["end of the signature", "signature", "key", "content"])
def test_a_certificate_with_a_changed_byte_is_rejected(at: int, tmp_path: Path) -> None:
    data = bytearray(sign(tmp_path))
    data[at] ^= 1
    with pytest.raises(ValueError, match=r"."):
        parse(bytes(data))


@pytest.mark.parametrize("size", [0, 3, 4, 40, 100, 300])
def test_a_truncated_certificate_is_rejected(size: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(sign(tmp_path)[:size])


def test_trailing_data_after_a_certificate_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="data after"):
        parse(sign(tmp_path) + b"\0")


def test_a_signature_with_sha1_is_accepted_only_where_it_is_expected(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = make_key(tmp_path / "key", "rsa")
    public = blob(f"{key}.pub")
    private = serialization.load_ssh_private_key(key.read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    signature = string(b"ssh-rsa") + string(private.sign(b"data", padding.PKCS1v15(), hashes.SHA1()))
    verify(public, signature, b"data", "ssh-rsa")
    assert prove("ssh-rsa", public, signature, b"data").blob == public
    with pytest.raises(ValueError, match="signed with ssh-rsa"):
        verify(public, signature, b"data", "rsa-sha2-512")
    with pytest.raises(ValueError, match="signed with ssh-rsa"):
        prove("rsa-sha2-512", public, signature, b"data")


def test_a_key_of_another_kind_than_was_agreed_on_proves_nothing(tmp_path: Path) -> None:
    key = blob(f"{make_key(tmp_path / 'key')}.pub")
    for algorithm in ("rsa-sha2-512", "ssh-ed25519-cert-v01@openssh.com"):
        with pytest.raises(ValueError, match="it presented a key of type ssh-ed25519"):
            prove(algorithm, key, b"", b"data")


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_by_another_kind_of_key_is_wrong(kind: str, tmp_path: Path) -> None:
    key = blob(f"{make_key(tmp_path / 'key', kind)}.pub")
    with pytest.raises(ValueError, match="its signature is wrong, or of an unknown kind"):
        verify(key, string(b"odd") + string(b"x"), b"data")
