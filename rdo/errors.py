"""What can go wrong, as typed values, and how one is shown: nothing here prints or exits.

Part of the client's hot path: imports nothing but what is rare, and that late.
"""

FAILURE = 255
"""Exit status of everything that is rdo's own failure, as in ssh(1)."""

USAGE = 2
"""Exit status of `rdoctl` for a wrong command line, as of most tools. `rdo` has none: 2 would be a command's own."""


PART_LIMIT = 1500
"""Characters of a part of an error that are shown: some rows of a terminal. A path may have 4,096."""


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
        """One line, without the leading `rdo: `, safe to show on a terminal."""
        what, why, hint = (without_middle(one_line(part)) for part in (self.what, self.why, self.hint))
        text = f"{what}: {why}" if why else what
        text = f"{text}; {hint}" if hint else text
        return text.replace("``", "`''`")  # an empty name, as a shell has it


class UsageError(RdoError):
    """The command line of rdo itself is wrong."""


class ConfigError(RdoError):
    """A config file, a key or a value in it, or a profile is wrong."""


class ConnectError(RdoError):
    """The target cannot be reached, or does not let us in. No command was started."""


class LinkLost(RdoError):
    """The connection broke while something was using it."""


class SetupError(RdoError):
    """This machine's side cannot do its part: runtime directory, control socket, control master."""


def reason(error: Exception) -> str:
    """Why an error of Python's was raised, in the words of its system: without a number, and not capitalized."""
    strerror = error.strerror if isinstance(error, OSError) else None
    return strerror[:1].lower() + strerror[1:] if strerror else str(error)


def printable(text: str) -> str:
    """The text with what could not be seen escaped, so that a name cannot drive the terminal: see rdo.printable.

    Names come from config files, servers and the file system: CVE-2019-6109 is what happens without this.
    """
    if text.isascii() and text.isprintable():
        return text
    from rdo import printable as display  # only here: Unicode's tables are for what is rare

    return display.escaped(text)


def one_line(text: str) -> str:
    """The same for a line of running text: a run of blanks in it comes from a name, and could push it to a new row."""
    return printable(text).replace("  ", "\\x20\\x20")


def without_middle(text: str) -> str:
    """The text, if it is huge without its middle."""
    rest = len(text) - PART_LIMIT
    if rest <= 0:
        return text
    half = PART_LIMIT // 2
    return f"{text[:half]}... ({rest} more characters) ...{text[-half:]}"
