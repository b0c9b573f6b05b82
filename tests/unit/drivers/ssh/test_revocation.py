"""Tests for RevokedHostKeys: lists of keys and KRLs, compared with ssh-keygen, including files that cannot be
understood.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import time
from pathlib import Path

import pytest

from rdo.drivers.ssh import revocation
from rdo.drivers.ssh.certificate import parse
from rdo.drivers.ssh.fields import kind_of, string
from rdo.drivers.ssh.known_hosts import HostKey
from rdo.errors import ConnectError
from tests.unit.drivers.ssh.test_certificate import blob, keygen, make_key, sign

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


def revoke(directory: Path, specification: str, *words: object) -> bytes:
    """A KRL that ssh-keygen creates from the specification."""
    (directory / "spec").write_text(specification)
    keygen("-k", "-f", directory / "krl", *words, directory / "spec")
    return (directory / "krl").read_bytes()


def by_keygen(directory: Path, file: Path) -> bool:
    """Whether ssh-keygen regards the key or certificate in the file as revoked."""
    asked = subprocess.run(["ssh-keygen", "-Q", "-f", directory / "krl", file], capture_output=True, check=False)
    return asked.returncode != 0


def by_us(data: bytes, shown: bytes) -> bool:
    certificate = parse(shown) if "cert" in kind_of(shown) else None
    return revocation.revokes(data, certificate.public if certificate else shown, certificate)


@pytest.mark.parametrize("form", ["", "key: ", "sha1: ", "sha256: "])
def test_a_krl_revokes_the_keys_that_it_lists(form: str, tmp_path: Path) -> None:
    bad, good = make_key(tmp_path / "bad"), make_key(tmp_path / "good", "rsa")
    public = (tmp_path / "bad.pub").read_text()
    if form == "sha256: ":
        printed = subprocess.run(["ssh-keygen", "-l", "-f", f"{bad}.pub"], capture_output=True, text=True, check=True)
        data = revoke(tmp_path, f"hash: {printed.stdout.split()[1]}\n")
    else:
        data = revoke(tmp_path, form + public)
    for key, expected in ((bad, True), (good, False)):
        assert by_us(data, blob(f"{key}.pub")) is expected
        assert by_keygen(tmp_path, Path(f"{key}.pub")) is expected


SERIALS = ["serial: 7", "serial: 1-9", "serial: 3\nserial: 5\nserial: 7\nserial: 8\nserial: 70", "id: the id"]


@pytest.mark.parametrize(
    "specification", [*SERIALS, "serial: 8", "serial: 8-9", "id: another id", "serial: 1\nserial: 3"]
)
@pytest.mark.parametrize("of", ["its authority", "another", "all"])
def test_a_krl_revokes_certificates_by_serial_number_and_id(specification: str, of: str, tmp_path: Path) -> None:
    certificate = sign(tmp_path, "-z", 7)
    authority = {"its authority": tmp_path / "ca.pub", "all": "none"}.get(of) or f"{make_key(tmp_path / 'another')}.pub"
    data = revoke(tmp_path, specification + "\n", "-s", authority)
    expected = specification in SERIALS and of != "another"
    assert by_keygen(tmp_path, tmp_path / "key-cert.pub") is expected
    assert by_us(data, certificate) is expected
    assert by_us(data, blob(tmp_path / "key.pub")) is False


def test_a_certificate_is_revoked_with_its_key_and_with_its_authority(tmp_path: Path) -> None:
    certificate = sign(tmp_path)
    for name in ("key", "ca"):
        text = (tmp_path / f"{name}.pub").read_text()
        assert by_us(revoke(tmp_path, text), certificate)
        assert by_us(text.encode(), certificate)


def test_a_list_of_keys_may_have_comments_certificates_and_odd_ends_of_lines(tmp_path: Path) -> None:
    sign(tmp_path)
    other = make_key(tmp_path / "other")
    text = (
        f"# comment\n\n \t\n{(tmp_path / 'key-cert.pub').read_text().rstrip()}\r\n  {Path(f'{other}.pub').read_text()}"
    )
    assert by_us(text.encode(), blob(tmp_path / "key.pub"))
    assert by_us(text.encode(), blob(f"{other}.pub"))
    assert not by_us(text.encode(), blob(tmp_path / "ca.pub"))
    assert not by_us(b"", blob(tmp_path / "ca.pub"))


@pytest.mark.parametrize(
    "line", ["junk", "ssh-ed25519", "ssh-ed25519 !!", "ssh-rsa AAAAC3NzaC1lZDI1NTE5", "host ssh-rsa AAAA"]
)
def test_a_line_that_is_not_a_key_makes_a_list_unusable(line: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line 2 is not a public key"):
        by_us(f"# first\n{line}\n".encode(), blob(f"{make_key(tmp_path / 'key')}.pub"))


def head(version: int = 1) -> bytes:
    return revocation.MAGIC + struct.pack(">IQQQ", version, 0, 0, 0) + string(b"") + string(b"comment")


def section(kind: int, data: bytes) -> bytes:
    return bytes([kind]) + string(data)


def of_certificates(kind: int, data: bytes) -> bytes:
    return section(revocation.CERTIFICATES, string(b"") + string(b"") + section(kind, data))


EXTENSION = string(b"odd@example.com")

SOUND = {
    "nothing": b"",
    "an extension": section(revocation.EXTENSION, EXTENSION + b"\0" + string(b"x")),
    "an extension of certificates": of_certificates(revocation.CERTIFICATE_EXTENSION, EXTENSION + b"\0" + string(b"x")),
}

USELESS = {
    "cut off": section(revocation.EXPLICIT_KEYS, string(b"key"))[:-1],
    "a hash that is too short": section(revocation.SHA1S, string(b"x" * 19)),
    "another hash that is too long": section(revocation.SHA256S, string(b"x" * 33)),
    "a signature": bytes([revocation.SIGNATURE]) + string(b"key") + string(b"signature"),
    "an unknown section": section(99, b""),
    "an unknown section of certificates": of_certificates(99, b""),
    "half a serial number": of_certificates(revocation.SERIAL_LIST, b"1234"),
    "a range with more behind": of_certificates(revocation.SERIAL_RANGE, b"x" * 17),
    "a critical extension": section(revocation.EXTENSION, EXTENSION + b"\1" + string(b"")),
    "an extension with more behind": section(revocation.EXTENSION, EXTENSION + b"\0" + string(b"") + b"x"),
}


@pytest.mark.parametrize("rest", SOUND.values(), ids=SOUND)
def test_unknown_optional_parts_are_ignored(rest: bytes) -> None:
    assert not revocation.parse_krl(head() + rest).revokes(b"key", None)


@pytest.mark.parametrize("rest", USELESS.values(), ids=USELESS)
def test_a_krl_that_is_not_understood_completely_is_unusable(rest: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        revocation.parse_krl(head() + rest)


def test_a_krl_of_another_version_is_unusable() -> None:
    with pytest.raises(ValueError, match="version 1"):
        revocation.parse_krl(head(2))


def test_a_long_krl_is_read_in_linear_time() -> None:
    hashes = b"".join(string(number.to_bytes(32, "big")) for number in range(40_000))
    started = time.process_time()
    assert len(revocation.parse_krl(head() + section(revocation.SHA256S, hashes)).hashes) == 40_000
    assert time.process_time() - started < 10  # it is 20 if the rest is copied for each key


def test_serial_number_0_is_not_a_number(tmp_path: Path) -> None:
    data = head() + of_certificates(revocation.SERIAL_RANGE, struct.pack(">QQ", 0, 2**64 - 1))
    assert not by_us(data, sign(tmp_path))


@pytest.mark.parametrize("content", [None, b"junk\n", head(2), head()[:20]], ids=["missing", "junk", "new", "cut off"])
def test_a_file_that_cannot_be_used_forbids_the_connection(content: bytes | None, tmp_path: Path) -> None:
    key = HostKey("ssh-ed25519", blob(f"{make_key(tmp_path / 'key')}.pub"))
    file = tmp_path / "revoked"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(
        ConnectError, match=r"cannot check the host key of `box` against `.*revoked` \(RevokedHostKeys\)"
    ):
        revocation.check([str(file)], "box", key, None)


def test_a_file_that_is_too_large_forbids_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocation, "REVOCATION_LIMIT", 3)
    file = tmp_path / "revoked"
    file.write_text("# too much")
    with pytest.raises(ConnectError, match="larger than"):
        revocation.check([str(file)], "box", HostKey("", b""), None)


def test_files_that_revoke_other_keys_allow_it(tmp_path: Path) -> None:
    key = HostKey("ssh-ed25519", blob(f"{make_key(tmp_path / 'key')}.pub"))
    other = make_key(tmp_path / "other")
    revocation.check([f"{other}.pub", "/dev/null"], "box", key, None)
    with pytest.raises(ConnectError, match=r"the host key of `box` is revoked: ED25519 key SHA256:.*, by `.*key.pub`"):
        revocation.check([f"{other}.pub", f"{tmp_path / 'key'}.pub"], "box", key, None)
