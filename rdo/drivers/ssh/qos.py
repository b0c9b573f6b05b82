"""IPQoS: the mark of a connection's packets, by its names in ssh_config(5). Pure."""

from __future__ import annotations

NAMES = {
    "lowdelay": 0x10,
    "throughput": 0x08,
    "reliability": 0x04,
    "ef": 0xB8,
    "va": 0xB0,
    "le": 0x04,
    **{f"cs{number}": number << 5 for number in range(8)},
    **{f"af{group}{drop}": group << 5 | drop << 3 for group in range(1, 5) for drop in range(1, 4)},
}
"""As the byte in the header of an IP packet has them."""


def mark(text: str) -> int | None:
    """The mark for `ssh -G`'s value: that of interactive sessions, which stands first, as one connection carries all.

    None where the system is to decide, or for what is no mark.
    """
    name = text.split(" ")[0].lower()
    if name in NAMES:
        return NAMES[name]
    try:
        value = int(name, 0)
    except ValueError:
        return None
    return value if 0 <= value <= 0xFF else None
