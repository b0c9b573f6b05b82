"""Writes a file atomically: readers see either the whole old text or the whole new one."""

from __future__ import annotations

import os


def write(path: str, text: str, mode: int = 0o600) -> None:
    """Replace the content of the file. Raises OSError, in which case the file is unchanged, even on a full disk."""
    import tempfile  # loads a dozen modules that readers of such files do not need

    handle, made = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".")
    try:
        with open(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
            os.fchmod(handle, mode)
        os.replace(made, path)
    except OSError:
        os.unlink(made)
        raise
