"""The percent tokens, tildes and ${NAMES} of ssh_config(5), section TOKENS. Pure."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

NONE: Mapping[str, str] = MappingProxyType({})


class Tokens(NamedTuple):
    """What the tokens of one host stand for."""

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
        """The text with its percent tokens replaced, `more` of them; an unknown one is left as it is."""
        values = {**self._values(), **more}
        return re.sub(r"%(.)", lambda match: values.get(match[1], match[0]), text)

    def path(self, text: str) -> str:
        """A path with tilde, ${NAMES} and percent tokens replaced, from the working directory on if it is relative."""
        if text == "~" or text.startswith("~/"):
            text = self.home + text[1:]
        return self.absolute(self.expand_all(text))

    def absolute(self, path: str) -> str:
        """A path, from the working directory on if it is relative; nothing stays nothing."""
        return path and posixpath.join(self.environment.get("PWD") or "/", path)

    def expand_all(self, text: str, more: Mapping[str, str] = NONE) -> str:
        """The text with its ${NAMES} and percent tokens replaced, `more` of them; an unset name is empty."""
        text = re.sub(r"\$\{(\w+)\}", lambda match: self.environment.get(match[1], ""), text)
        return self.expand(text, more)

    def _values(self) -> dict[str, str]:
        connection = f"{self.local_host}{self.hostname}{self.port}{self.user}{self.jump}"
        return {
            "%": "%",
            "C": hashlib.sha1(connection.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest(),
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
            "u": self.local_user,
        }
