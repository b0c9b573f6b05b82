"""Text and bytes, as the system has them: os.fsencode and os.fsdecode, without `os`, for which the client has no time.

Whatever comes from the system, a file or another program as bytes need not be UTF-8, and comes back as it was. Part of
the client's hot path.
"""

import sys

ENCODING, ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
"""UTF-8 and `surrogateescape`, since rdo runs in Python's UTF-8 mode."""


def fsencode(text: str) -> bytes:
    """Text that `fsdecode` returned, as the same bytes again."""
    return text.encode(ENCODING, ERRORS)


def fsdecode(data: bytes) -> str:
    """Bytes as text, each byte that is not UTF-8 as a surrogate."""
    return data.decode(ENCODING, ERRORS)
