"""Text and bytes, as the system has them. Only here one becomes the other.

Whatever comes from the system, a file or another program as bytes need not be UTF-8, and comes back as it was: each
byte that is not UTF-8 is a surrogate in the text (`surrogateescape`), since rdo runs in Python's UTF-8 mode.
"""

from __future__ import annotations

from os import fsdecode, fsencode

__all__ = ["fsdecode", "fsencode"]
