"""A file of the user's alone that is written in one step: who reads it finds the old text or the new one, whole."""

from __future__ import annotations

import os
import tempfile


def write(path: str, text: str) -> None:
    """Put the text in the place of what is there. Raises OSError; then all is as it was, on a full disk too."""
    handle, made = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".")  # with mode 0600
    try:
        with open(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        os.replace(made, path)
    except OSError:
        os.unlink(made)
        raise
