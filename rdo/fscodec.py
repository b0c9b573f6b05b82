"""Converts between text and bytes as the operating system has them. No other module does so.

Bytes from the system, from files and from other programs need not be UTF-8, and must survive the round trip: each byte
that is not UTF-8 becomes a surrogate in the text (`surrogateescape`). rdo runs in Python's UTF-8 mode.
"""

from __future__ import annotations

from os import fsdecode, fsencode

__all__ = ["fsdecode", "fsencode"]
