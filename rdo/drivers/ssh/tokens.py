"""Percent tokens, tildes and ${NAMES} of ssh_config(5), section TOKENS. Pure, except for the home directories of other
users.

A token or name without a value is an error, as with ssh: a path without that part would be another file.
"""

import posixpath
import pwd
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from rdo.fscodec import fsencode

PERCENT = re.compile("%(.?)", re.DOTALL)
PERCENT_OR_NAME = re.compile(rf"{PERCENT.pattern}|\$\{{(\w+)\}}", re.DOTALL)

NONE: Mapping[str, str] = MappingProxyType({})


class NotedVariables(Mapping[str, str]):
    """Variables, with a record of the names that were looked up, on which the results depend."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


class Tokens(NamedTuple):
    """The values of the tokens for a host."""

    original: str = ""
    hostname: str = ""
    port: int = 22
    user: str = ""
    alias: str = ""
    jump: str = ""
    local_user: str = ""
    local_host: str = ""
    uid: int = 0
    home: str = ""
    environment: Mapping[str, str] = NONE

    def expand(self, text: str, more: Mapping[str, str] = NONE) -> str:
        """The text with percent tokens replaced, `more` of them. Raises ValueError for an unknown one."""
        values = {**self._values(text), **more}
        return PERCENT.sub(lambda match: _found(values, match[1], f"the token `{match[0]}`"), text)

    def path(self, text: str) -> str:
        """A path with tilde, ${NAMES} and percent tokens replaced, and relative to the working directory.

        Raises ValueError.
        """
        if text.startswith("~"):
            name, slash, rest = text[1:].partition("/")
            return self.absolute((_home(name) if name else self.home) + slash + self.expand_all(rest))
        return self.absolute(self.expand_all(text))

    def absolute(self, path: str) -> str:
        """The absolute path, from the working directory if it is relative; an empty one stays empty."""
        if not path or path.startswith("/"):
            return path
        return posixpath.join(self.environment.get("PWD") or "/", path)

    def expand_all(self, text: str, more: Mapping[str, str] = NONE) -> str:
        """The text with ${NAMES} and percent tokens replaced, `more` of them. Raises ValueError."""
        values = {**self._values(text), **more}

        def found(match: re.Match[str]) -> str:
            if match[1] is None:
                return _found(self.environment, match[2], f"the variable `{match[2]}`")
            return _found(values, match[1], f"the token `{match[0]}`")

        return PERCENT_OR_NAME.sub(found, text)

    def _values(self, text: str) -> dict[str, str]:
        """The values of the tokens that the text may contain."""
        return {
            "%": "%",
            **({"C": self._connection_digest()} if "%C" in text else {}),
            "d": self.home,
            "h": self.hostname,
            "i": str(self.uid),
            "j": self.jump,
            "k": self.alias,
            "L": self.local_host.partition(".")[0],
            "l": self.local_host,
            "n": self.original,
            "p": str(self.port),
            "r": self.user,
            "T": "NONE",  # the tunnel device, which rdo does not support
            "u": self.local_user,
        }

    def _connection_digest(self) -> str:
        import hashlib  # loads OpenSSL, which takes longer than everything else done with options

        connection = f"{self.local_host}{self.hostname}{self.port}{self.user}{self.jump}"
        return hashlib.sha1(fsencode(connection), usedforsecurity=False).hexdigest()


def _found(values: Mapping[str, str], key: str, what: str) -> str:
    if key not in values:
        raise ValueError(f"{what} has no value")
    return values[key]


def _home(name: str) -> str:
    try:
        return pwd.getpwnam(name).pw_dir
    except KeyError:
        raise ValueError(f"there is no user `{name}`") from None
