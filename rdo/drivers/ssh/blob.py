"""Keys, certificates and revocation lists as OpenSSH has them in bytes: their fields, one after the other. Pure."""

from __future__ import annotations


class BlobReader:
    """What is still to be read. All methods raise ValueError where it is cut short."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def take(self, size: int) -> bytes:
        """So many bytes."""
        if size > len(self.rest):
            raise ValueError("it is truncated")
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken

    def number(self, size: int) -> int:
        """A number of so many bytes."""
        return int.from_bytes(self.take(size), "big")

    def string(self) -> bytes:
        """A string, which its length precedes."""
        return self.take(self.number(4))

    def strings(self) -> list[bytes]:
        """All strings up to the end."""
        found = []
        while self.rest:
            found.append(self.string())
        return found


def rsa_bits(blob: bytes) -> int | None:
    """The size of an RSA key; None for keys of other types. Raises ValueError."""
    fields = BlobReader(blob)
    if fields.string() != b"ssh-rsa":
        return None
    fields.string()
    return int.from_bytes(fields.string(), "big").bit_length()


def kind_of(blob: bytes) -> str:
    """The type that a public key begins with. Raises ValueError."""
    return BlobReader(blob).string().decode("ascii")
