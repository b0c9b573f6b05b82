"""What can go wrong, as typed values, and how one is shown: nothing here prints or exits.

Part of the client's hot path: imports nothing.
"""

FAILURE = 255
"""Exit status of everything that is rdo's own failure, as in ssh(1)."""


class RdoError(Exception):
    """A failure a user can meet.

    `what` failed, with the name in backticks; `why`; and the `hint`, what to type next. Each is a fragment in lower
    case without a full stop; `why` and `hint` may be empty.
    """

    def __init__(self, what: str, why: str = "", hint: str = "") -> None:
        super().__init__(what, why, hint)
        self.what = what
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        """One line, without the `rdo: ` in front, safe to show on a terminal."""
        text = f"{self.what}: {self.why}" if self.why else self.what
        return printable(f"{text}; {self.hint}" if self.hint else text)


class UsageError(RdoError):
    """The command line of rdo itself is wrong."""


class ConfigError(RdoError):
    """A config file, a key or a value in it, or a profile is wrong."""


class ConnectError(RdoError):
    """The target cannot be reached, or does not let us in. No command was started."""


class LinkLost(RdoError):
    """The connection broke while something was using it."""


class SetupError(RdoError):
    """This machine's side cannot do its part: runtime folder, control socket, control master."""


def printable(text: str) -> str:
    """The text with control characters and undecodable bytes escaped, so that a name cannot drive the terminal.

    Names come from config files, servers and the file system: CVE-2019-6109 is what happens without this.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, carried by surrogateescape
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
