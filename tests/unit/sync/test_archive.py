"""What is sent to a target is a tar archive that others can read, too."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

from rdo.sync.archive import Archive
from tests.sync_target import tree_of, write


def test_tarfile_reads_what_is_sent(tmp_path: Path) -> None:
    write(tmp_path / "here", {"a": "1", "n" * 150: "2", "d/": ""})
    archive = Archive(os.fsencode(tmp_path / "here"))
    data = b"".join([*archive.tree(b"f/", tree_of(tmp_path / "here")), *archive.text(b"t", b"text"), *archive.end()])
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        assert opened.getnames() == ["f/a", "f/d", "f/" + "n" * 150, "t"]
        assert opened.getmember("f/a").mtime == (tmp_path / "here/a").stat().st_mtime
