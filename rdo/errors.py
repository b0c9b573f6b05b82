"""Errors as typed values, and how they are formatted. Nothing here prints or exits.

On the client's hot path: imports only what is rarely needed, and only when it is.
"""

FAILURE = 255
"""The exit status of all of rdo's own failures, as with ssh(1)."""

USAGE = 2
"""The exit status of `rdoctl` for an invalid command line, as with most tools. `rdo` does not use it, since 2 may be
that of the command."""


PART_LIMIT = 1500
"""Characters of a part of an error that are shown: some rows of a terminal. A path may have 4,096."""


class RdoError(Exception):
    """An error for the user.

    `what` failed, with the name in backticks; `why`; and the `hint`, what to type next. Each is a fragment in lower
    case without a full stop; `why` and `hint` may be empty.
    """

    def __init__(self, what: str, why: str = "", hint: str = "") -> None:
        super().__init__(what, why, hint)
        self.what = what
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        """One line, without the leading `rdo: `, safe to show on a terminal."""
        parts = (self.what, self.why, self.hint)
        what, why, hint = (without_middle(one_line(with_empty_names(part))) for part in parts)
        text = f"{what}: {why}" if why else what
        return f"{text}; {hint}" if hint else text


class UsageError(RdoError):
    """The command line of rdo itself is invalid."""


class ConfigError(RdoError):
    """A config file, a key or a value in it, or a profile is invalid."""


class ConnectError(RdoError):
    """The target cannot be reached, or refuses the login. No command was started."""


class LinkLost(RdoError):
    """The connection broke while something was using it."""


class SetupError(RdoError):
    """Something on this machine failed: runtime directory, control socket, control master."""


def reason(error: Exception) -> str:
    """Why Python raised an error, in the system's words: without a number, and not capitalised."""
    strerror = error.strerror if isinstance(error, OSError) else None
    return strerror[:1].lower() + strerror[1:] if strerror else str(error)


def printable(text: str) -> str:
    """The text with invisible characters escaped, so that a name cannot control the terminal: see rdo.printable.

    Names come from config files, servers and the file system: CVE-2019-6109 is what happens otherwise.
    """
    if text.isascii() and text.isprintable():
        return text
    from rdo import printable as display  # loaded here, since the Unicode tables are rarely needed

    return display.escaped(text)


def one_line(text: str) -> str:
    """The same for a line of text. A run of blanks in it comes from a name, and could push that to a new row."""
    return printable(text).replace("  ", "\\x20\\x20")


def with_empty_names(text: str) -> str:
    """The text with empty names in backticks as a shell has them, since nobody sees that something is between them."""
    return text.replace("``", "`''`")


def without_middle(text: str) -> str:
    """The text, without its middle if it is huge."""
    rest = len(text) - PART_LIMIT
    if rest <= 0:
        return text
    half = PART_LIMIT // 2
    return f"{text[:half]}... ({rest} more characters) ...{text[-half:]}"
