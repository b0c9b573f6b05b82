"""Has the shell on the target lead a process group, where its server does not see to that: signals, and the end of what
a lost link leaves behind, go to that group. Pure; text for any login shell, as in rdo.script.
"""

from __future__ import annotations

START = "exec /bin/sh -c '"

LEAD = 'kill -0 -$$ 2>/dev/null || ! command -v setsid >/dev/null || exec setsid /bin/sh -c "$0"; exec /bin/sh -c "$0"'
"""Signal 0 reaches the group of our number only if we lead one. setsid(1) would fork where we do, so it is not asked
then. Where there is none, the shell's own process is all that can be signalled.
"""


def led(bootstrap: str) -> str:
    """The same bootstrap, begun by the leader of a group. It holds no quotes but those of its own `/bin/sh -c`."""
    text = bootstrap.removeprefix(START).removesuffix("'") if bootstrap.startswith(START) else bootstrap
    return f"{START}{LEAD}' '{text}'"
