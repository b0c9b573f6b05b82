"""Tests for the runtime directory, which alone protects a control socket, and for the socket's name."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.errors import SetupError
from rdo.ipc.address import RUNTIME_DIR_HINT, SOCKET_PATH_LIMIT, runtime_directory, socket_path
from rdo.ipc.sockets import connect

ANOTHER_USER = 54321
"""A uid that no user of the machine has."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to somebody else")


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An XDG_RUNTIME_DIR with a short path, as a login creates it."""
    with tempfile.TemporaryDirectory(prefix="rdo-", dir="/tmp") as directory:
        monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
        yield Path(directory)


@pytest.fixture
def fallback() -> Iterator[Path]:
    """/tmp/rdo-UID of a user who has none yet, and as whom the test runs."""
    directory = Path(f"/tmp/rdo-{ANOTHER_USER}")
    os.seteuid(ANOTHER_USER)
    try:
        yield directory
    finally:
        os.seteuid(0)
        if directory.is_symlink() or directory.is_file():
            directory.unlink()
        elif directory.exists():
            directory.rmdir()


def error_of() -> str:
    with pytest.raises(SetupError) as caught:
        runtime_directory(os.environ)
    return str(caught.value)


def test_the_runtime_directory_is_created_for_its_owner_only(base: Path) -> None:
    assert runtime_directory(os.environ) == f"{base}/rdo"
    assert os.stat(base / "rdo").st_mode & 0o777 == 0o700


def test_the_runtime_directory_is_reused(base: Path) -> None:
    assert runtime_directory(os.environ) == runtime_directory(os.environ) == f"{base}/rdo"


def test_a_link_in_place_of_the_runtime_directory_is_refused(base: Path) -> None:
    (base / "elsewhere").mkdir(mode=0o700)
    (base / "rdo").symlink_to("elsewhere")
    assert error_of() == f"the runtime directory `{base}/rdo` is not a directory; remove it"


def test_a_file_in_place_of_the_runtime_directory_is_refused(base: Path) -> None:
    (base / "rdo").touch()
    assert error_of() == f"the runtime directory `{base}/rdo` is not a directory; remove it"


@as_root
def test_a_runtime_directory_of_another_user_is_refused(base: Path) -> None:
    (base / "rdo").mkdir(mode=0o700)
    os.chown(base / "rdo", ANOTHER_USER, -1)
    expected = f"the runtime directory `{base}/rdo` belongs to another user: uid {ANOTHER_USER}; remove it"
    assert error_of() == expected


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o701, 0o770, 0o720, 0o704], ids=oct)
def test_a_runtime_directory_that_others_can_enter_is_refused(base: Path, mode: int) -> None:
    (base / "rdo").mkdir()
    (base / "rdo").chmod(mode)
    assert error_of() == f"the runtime directory `{base}/rdo` is open to others; `chmod 700 {base}/rdo`"


@as_root
@pytest.mark.parametrize(
    "variable",
    [
        pytest.param(None, id="not set"),
        pytest.param("", id="empty"),
        pytest.param("run", id="relative"),
        pytest.param("/nowhere/run", id="missing"),
        pytest.param("/etc", id="another user's"),
        pytest.param("/tmp/" + "x" * 70, id="too long"),
        pytest.param("/tmp", id="open to others"),
    ],
)
def test_without_ones_own_xdg_runtime_dir_a_directory_in_tmp_is_used(
    fallback: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    if variable is not None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", variable)
    assert runtime_directory(os.environ) == str(fallback)
    assert os.stat(fallback).st_uid == ANOTHER_USER
    assert os.stat(fallback).st_mode & 0o777 == 0o700


@as_root
def test_a_directory_that_somebody_planted_in_tmp_is_refused(fallback: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    os.seteuid(0)
    fallback.mkdir(mode=0o700)
    os.seteuid(ANOTHER_USER)
    assert error_of() == f"the runtime directory `{fallback}` belongs to another user: uid 0; remove it"


@as_root
def test_a_runtime_directory_that_cannot_be_created_is_an_error(base: Path) -> None:
    os.chown(base, ANOTHER_USER, -1)
    base.chmod(0o500)
    os.seteuid(ANOTHER_USER)
    try:
        assert error_of() == f"cannot create the runtime directory `{base}/rdo`: permission denied; {RUNTIME_DIR_HINT}"
    finally:
        os.seteuid(0)


def test_every_socket_fits_into_an_accepted_runtime_dir(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    longest = base / ("x" * (63 - len(str(base))))
    longest.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(longest))
    directory = runtime_directory(os.environ)
    assert directory == f"{longest}/rdo"
    bound = (
        socket_path(directory, "control-0123456789abcdef") + ".4194304"
    )  # with the suffix that is added when it ends
    assert len(os.fsencode(bound)) <= SOCKET_PATH_LIMIT


def test_the_socket_has_the_same_name_for_all_commands_of_a_user() -> None:
    assert socket_path("/run/rdo") == "/run/rdo/control"


@pytest.mark.parametrize("name", ["", "x", "control-", "control-../x", "control-a/b", "control/x", "\udcff"])
def test_a_master_cannot_name_a_socket_elsewhere(name: str) -> None:
    with pytest.raises(SetupError, match="violated the protocol"):
        socket_path("/run/rdo", name)


@pytest.mark.parametrize("name", ["nothing", "stale"])
def test_without_a_listener_there_is_no_connection(base: Path, name: str) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(f"{base}/stale")
    assert connect(f"{base}/{name}") is None


def test_an_unreachable_socket_is_named(base: Path) -> None:
    (base / "file").touch()
    with pytest.raises(SetupError) as caught:
        connect(f"{base}/file/socket")
    assert (
        str(caught.value)
        == f"cannot reach the control master: `{base}/file/socket`: not a directory; see `rdoctl doctor`"
    )
