"""Tests for finding what is mounted at and below a directory."""

from __future__ import annotations

import pytest

from rdo.sync.mounts import MountTable, mounted

TABLE = rb"""22 1 254:1 / / rw,relatime - ext4 /dev/vda rw
30 22 0:26 / /home rw - btrfs /dev/b rw
31 30 0:27 / /home/me/a\040b\134\012c rw,nosuid shared:5 master:1 - fuse.sshfs host:/ rw
32 30 0:28 / /home/me/project/data rw - nfs4 host:/data rw
33 30 0:29 / /home/me/project2 rw - tmpfs none rw
"""


@pytest.mark.parametrize(
    ("directory", "found"),
    [
        (b"/home/me/project", {b"": "btrfs", b"data": "nfs4"}),
        (b"/home/me/project/data", {b"": "nfs4"}),
        (b"/home/me/project/data/x", {b"": "nfs4"}),
        (b"/home/me/project2", {b"": "tmpfs"}),
        (b"/srv", {b"": "ext4"}),
        (b"/home/me/a b\\\nc/x", {b"": "fuse.sshfs"}),
        (b"/home/me", {b"": "btrfs", b"a b\\\nc": "fuse.sshfs", b"project/data": "nfs4", b"project2": "tmpfs"}),
    ],
)
def test_file_systems_are_found_by_mount_point(directory: bytes, found: dict[bytes, str]) -> None:
    assert mounted(TABLE, directory) == found


@pytest.mark.parametrize("odd", [b"\r", b"\x0b", b"\x0c", b"\x1c", b"\x85"])
def test_only_a_newline_ends_a_line(odd: bytes) -> None:
    table = TABLE + b"42 30 0:31 / /home/me/project/a" + odd + b"b rw - tmpfs none rw\n"
    assert mounted(table, b"/home/me/project")[b"a" + odd + b"b"] == "tmpfs"


def test_below_the_root_all_are_found() -> None:
    assert mounted(TABLE, b"/")[b""] == "ext4"
    assert mounted(TABLE, b"/")[b"home/me/project/data"] == "nfs4"


def test_of_several_mounts_on_a_directory_the_last_is_used() -> None:
    twice = TABLE + b"40 30 0:30 / /home/me/project/data rw - ext4 /dev/c rw\n41 22 0:1 / / rw - overlay none rw\n"
    assert mounted(twice, b"/home/me/project")[b"data"] == "ext4"
    assert mounted(twice, b"/srv") == {b"": "overlay"}


@pytest.mark.parametrize(
    ("kind", "is_reported"),
    [("ext4", True), ("fuseblk", True), ("fuse.gocryptfs", True), ("nfs", False), ("fuse.sshfs", False), ("9p", False)],
)
def test_some_file_systems_can_be_changed_by_other_machines(
    monkeypatch: pytest.MonkeyPatch, kind: str, is_reported: bool
) -> None:
    monkeypatch.setattr(MountTable, "_read", lambda _: {b"d": kind})
    table = MountTable(b"/")
    assert table.changed_elsewhere(b"d") == ("" if is_reported else kind)
    assert table.changed_elsewhere(b"") == ""
    table.close()
    table.close()
