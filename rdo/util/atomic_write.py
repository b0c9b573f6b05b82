"""A file that is written in one step: who reads it finds the old text or the new one, whole."""

from __future__ import annotations

import os
import tempfile


def write(path: str, text: str, mode: int = 0o600) -> None:
    """Put the text in the place of what is there. Raises OSError; then all is as it was, on a full disk too."""
    handle, made = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".")
    try:
        with open(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
            os.fchmod(handle, mode)
        os.replace(made, path)
    except OSError:
        os.unlink(made)
        raise
