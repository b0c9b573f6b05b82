"""What the version in a server's version string (RFC 4253, section 4.2) says of faults that have to be lived with, as
OpenSSH's compat.c has it. Pure.
"""

from __future__ import annotations

import re

DROPBEAR = re.compile(r"SSH-2\.0-dropbear_(\d{4})\.(\d+)")

BROKEN_SINCE = (2022, 82)
FIXED_IN = (2024, 86)

LIFELINE_AND_ONE = 2
"""Sessions on a connection of which the first does not end by itself."""


def session_limit(server_version: str) -> int | None:
    """How many sessions may be open on a connection to this server at a time; None where it says so itself.

    dropbear from 2022.82 to 2024.85 closes a session that has not got its command yet when the program of another one
    ends, and then ends the whole connection (mkj/dropbear#321). So none may be opened where another can end.
    """
    found = DROPBEAR.match(server_version)
    if found is None:
        return None
    return LIFELINE_AND_ONE if BROKEN_SINCE <= (int(found[1]), int(found[2])) < FIXED_IN else None
