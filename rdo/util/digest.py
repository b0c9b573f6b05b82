"""SHA-256 in Python's own implementation. `hashlib` would load OpenSSL, which takes longer than everything that a short
command hashes.

Python's own `random` imports these modules for the same reason.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        from _sha2 import sha256  # since Python 3.12
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:
            from hashlib import sha256


def sha256_hex(data: bytes) -> str:
    """The digest as 64 hexadecimal digits."""
    return sha256(data).hexdigest()
