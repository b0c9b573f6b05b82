"""Parses rdo's command line: its own options, then the command. Pure. A hundred lines of argparse would take
as long to load as all the rest of the client."""

from __future__ import annotations

from collections.abc import Mapping

from rdo.errors import UsageError


class Options:
    """What was asked for. `command` holds the words of the command, or what follows `-c STRING`."""

    __slots__ = (
        "command", "directory", "env", "fallback", "forwards", "help", "is_check", "map_args", "map_output", "no_sync",
        "profile", "project", "remote_directory", "shell_options", "shell_string", "stdin", "sudo", "sync_only",
        "tty", "user", "verbose", "version", "watch",
    )  # fmt: skip

    def __init__(self) -> None:
        self.command: list[str] = []
        self.directory = ""
        self.env: list[str] = []
        self.fallback = False
        self.forwards: list[str] = []
        self.help = False
        self.is_check = False
        self.map_args = True
        self.map_output: bool | None = None
        self.no_sync = False
        self.profile = ""
        self.project = ""
        self.remote_directory = ""
        self.shell_options: list[str] = ["-c"]
        self.shell_string: str | None = None
        self.stdin = True
        self.sudo = False
        self.sync_only = False
        self.tty: bool | None = None
        self.user = ""
        self.verbose = False
        self.version = False
        self.watch = False


FLAGS = {
    "-t": ("tty", True),
    "-T": ("tty", False),
    "-n": ("stdin", False),
    "--fallback": ("fallback", True),
    "-s": ("sudo", True),
    "--sudo": ("sudo", True),
    "--no-map": ("map_args", False),
    "-m": ("map_output", True),
    "--map-output": ("map_output", True),
    "--no-map-output": ("map_output", False),
    "--no-sync": ("no_sync", True),
    "--sync-only": ("sync_only", True),
    "--watch": ("watch", True),
    "-v": ("verbose", True),
    "--verbose": ("verbose", True),
    "-h": ("help", True),
    "--help": ("help", True),
    "--version": ("version", True),
}
"""Options without a value: the attribute each sets, and to what."""

VALUES = {
    "-p": "profile",
    "--profile": "profile",
    "-e": "env",
    "--env": "env",
    "-c": "shell_string",
    "-C": "directory",
    "--project": "project",
    "--dir": "remote_directory",
    "-D": "forwards",
    "-L": "forwards",
    "-R": "forwards",
    "-u": "user",
    "--user": "user",
}
"""Options with a value: the attribute each sets. `env` and `forwards` collect, these with the option's letter; `-C`
joins, as in make and git; else the last wins."""

OWN_FLAGS = frozenset(name[1] for name in FLAGS if len(name) == 2) - {"h"}
"""Letters that are rdo's own where a word before the shell's has no other ones. `-h` is the shell's if that is called,
for help instead of a recipe would be taken for its success."""


def parse(words: list[str]) -> Options:
    """The options before the first word that is not one; that word and all after it are the command.

    `words` is the command line without the program's name. Raises UsageError.
    """
    options = Options()
    position = 0
    while position < len(words):
        word = words[position]
        if word[:1] in ("-", "+") and (count := _count_shell_words(words[position:])):
            end = position + count
            options.shell_options, options.shell_string = words[position:end], words[end]
            position = end + 1
            break  # as with `sh -c`: what follows the string are its arguments
        if word[1:-1] and word[0] == "-" and word[-1] == "c" and OWN_FLAGS.issuperset(word[1:-1]):
            _cluster(options, word[:-1], [])
            words = [*words[:position], "-c", *words[position + 1 :]]
            continue
        if word == "--":
            position += 1
            break
        if word == "-" or not word.startswith("-"):
            break
        position += 1
        read = _long if word.startswith("--") else _cluster
        position += read(options, word, words[position:])
        if options.shell_string is not None:
            break
    options.command = words[position:]
    return options


def _count_shell_words(words: list[str]) -> int:
    from rdo.client import shell_options  # most command lines do without

    return shell_options.count_words(words, OWN_FLAGS)


def _long(options: Options, word: str, rest: list[str]) -> int:
    """Read a long option; return how many words of `rest` it took."""
    name, equals, value = word.partition("=")
    if name in FLAGS and not equals:
        _set_flag(options, name)
        return 0
    if name not in VALUES:
        raise UsageError(f"unknown option `{word}`", "", "see `rdo --help`")
    if equals:
        _set_value(options, name, value)
        return 0
    _set_value(options, name, _next(name, rest))
    return 1


def _cluster(options: Options, word: str, rest: list[str]) -> int:
    """Read `-x`, `-xyz` or `-xVALUE`; return how many words of `rest` it took."""
    for index, letter in enumerate(word[1:], start=1):
        name = "-" + letter
        if name in FLAGS:
            _set_flag(options, name)
        elif name not in VALUES:
            hint = "see `rdo --help`; put `--` before a command that starts with `-`"
            raise UsageError(f"unknown option `{name}`", "", hint)
        elif name == "-c" and not word[index + 1 :]:
            raise UsageError("option `-c` needs a shell string", "", "see `rdo --help`")
        elif word[index + 1 :]:
            _set_value(options, name, word[index + 1 :])
            return 0
        else:
            _set_value(options, name, _next(name, rest))
            return 1
    return 0


def _next(name: str, rest: list[str]) -> str:
    if not rest:
        raise UsageError(f"option `{name}` needs a value", "", "see `rdo --help`")
    return rest[0]


def _set_flag(options: Options, name: str) -> None:
    attribute, value = FLAGS[name]
    setattr(options, attribute, value)


def _set_value(options: Options, name: str, value: str) -> None:
    attribute = VALUES[name]
    if attribute == "env":
        check_env(value)
        options.env.append(value)
    elif attribute == "forwards" and value:
        options.forwards.append(name[1] + value)
    elif attribute == "directory":
        relative = options.directory and not value.startswith("/")
        options.directory = f"{options.directory}/{value}" if relative else value
    elif not value and attribute != "shell_string":
        raise UsageError(f"option `{name}` has an empty value", "", "see `rdo --help`")
    else:
        setattr(options, attribute, value)


def check_env(value: str) -> None:
    """Raises UsageError for a `NAME` or `NAME=VALUE` that no shell could set."""
    name = value.partition("=")[0]
    if not (name.isascii() and name.replace("_", "a").isalnum() and not name[0].isdigit()):
        raise UsageError(f"`{name or value}` is not a valid environment variable name", "", "use `-e NAME=VALUE`")


def profile(options: Options, environ: Mapping[str, str]) -> str:
    """The profile's name: as given, else from the environment."""
    variable = profile_variable(environ)
    return options.profile or (environ[variable] if variable else "default")


def profile_variable(environ: Mapping[str, str]) -> str:
    """The variable that names the profile if no option does; empty if none is set. RDO_ENV is from the first rdo."""
    return next(filter(environ.get, ("RDO_PROFILE", "RDO_ENV")), "")
