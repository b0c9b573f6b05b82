"""SHA-256 by Python itself. `hashlib` loads OpenSSL for it, which takes longer than what a short command digests.

The modules are those that Python's own `random` uses for the same reason.
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
    """The digest in 64 hexadecimal digits."""
    return sha256(data).hexdigest()
