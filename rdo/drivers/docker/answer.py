"""Reads the engine's answers, and checks every type. Pure. Callers state the type that a value must have; an answer
with a missing value, or one of another type, causes a ConnectError that names it, never a KeyError somewhere else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import NoReturn, TypeGuard

from rdo.errors import ConnectError
from rdo.util.phrases import shortened

ADVICE = "see whether `docker version` works"
"""What to type if something answers that is not a Docker engine."""

IDENTITY = re.compile(r"[\w.-]{1,128}", re.ASCII)
"""A valid id of a container, an image or an exec, which becomes part of a path."""

NUMBER_LIMIT = 2**63
"""The largest integer in Go."""

MESSAGE_LIMIT = 600
"""Characters of the engine's own message that are shown."""


class EngineAnswer:
    """A value in JSON, and its position: `of` is the request, `at` the path to the value."""

    def __init__(self, value: object, of: str, at: str = "") -> None:
        self._value = value
        self._of = of
        self._at = at

    def table(self, name: str = "") -> EngineAnswer:
        """The object of this name, or this value itself. Raises ConnectError."""
        found = self._below(name)
        if not isinstance(found._value, dict):
            found._refuse("an object")
        return found

    def maybe(self, name: str) -> EngineAnswer | None:
        """The object of this name; None if it is missing or null. Raises ConnectError for anything else."""
        return None if self._get(name) is None else self.table(name)

    def text(self, name: str, default: str | None = None) -> str:
        """The string of this name, or the default if it is missing or null. Raises ConnectError."""
        value = self._get(name)
        if value is None and default is not None:
            return default
        if not _is_text(value) or "\0" in value:
            self._below(name)._refuse("text")
        return value

    def word(self, name: str) -> str:
        """The string of this name, or a number or a boolean as it is written. Raises ConnectError for anything else."""
        return found if (found := written(self._get(name))) is not None else self.text(name)

    def identity(self, name: str) -> str:
        """The id of this name. Raises ConnectError for anything that cannot be an id."""
        value = self.text(name)
        if not IDENTITY.fullmatch(value.removeprefix("sha256:")):
            self._below(name)._refuse("an id")
        return value

    def number(self, name: str, default: int | None = None) -> int:
        """The integer of this name, or the default if it is missing or null. Raises ConnectError."""
        value = self._get(name)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= NUMBER_LIMIT:
            self._below(name)._refuse("a number")
        return value

    def flag(self, name: str, default: bool | None = None) -> bool:
        """The boolean of this name, or the default if it is missing or null. Raises ConnectError."""
        value = self._get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, bool):
            self._below(name)._refuse("true or false")
        return value

    def tables(self, name: str = "") -> list[EngineAnswer]:
        """The objects in the list of this name, or in this list; none if it is null. Raises ConnectError."""
        found = self._below(name)
        return [EngineAnswer(value, self._of, f"{found._at}[{n}]").table() for n, value in enumerate(found._list())]

    def texts(self, name: str) -> list[str]:
        """The strings in the list of this name; none if it is missing or null. Raises ConnectError."""
        found = self._below(name)
        texts = [value for value in found._list() if _is_text(value)]
        if len(texts) < len(found._list()):
            found._refuse("a list of strings")
        return texts

    def mapping(self, name: str) -> Mapping[str, str]:
        """The object of this name, all of whose values are strings; empty if it is missing. Raises ConnectError."""
        found = self.maybe(name)
        if found is None:
            return {}
        return {key: found.text(key) for key in found.names()}

    @property
    def is_list(self) -> bool:
        """Whether the value is a list."""
        return isinstance(self._value, list)

    def has(self, name: str) -> bool:
        """Whether there is a value of this name that is not null. Raises ConnectError."""
        return self._get(name) is not None

    def names(self) -> list[str]:
        """The names in this object. Raises ConnectError."""
        if not isinstance(self._value, dict) or not all(map(_is_text, self._value)):
            self._refuse("an object")
        return list(self._value)

    def _get(self, name: str) -> object:
        if not isinstance(self._value, dict):
            self._refuse("an object")
        return self._value.get(name)

    def _list(self) -> list[object]:
        if self._value is None:
            return []
        if not isinstance(self._value, list):
            self._refuse("a list")
        return self._value

    def _below(self, name: str) -> EngineAnswer:
        return EngineAnswer(self._get(name), self._of, f"{self._at}.{name}" if self._at else name) if name else self

    def _refuse(self, kind: str) -> NoReturn:
        raise invalid_answer(
            self._of, f"`{self._at[:MESSAGE_LIMIT]}` is not {kind}" if self._at else f"it is not {kind}"
        )


def written(value: object) -> str | None:
    """A number or a boolean as JSON spells it, with `1.0` as in JavaScript; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value) if isinstance(value, (bool, int, float)) else None


def invalid_answer(of: str, why: str) -> ConnectError:
    """The error for an answer that is not valid."""
    return ConnectError(f"invalid answer from the Docker engine to `{of}`", why, ADVICE)


def decode(data: bytes, of: str) -> EngineAnswer:
    """Parse a JSON body. Raises ConnectError."""
    try:
        return EngineAnswer(json.loads(data), of)
    except (ValueError, RecursionError):
        raise invalid_answer(of, "it is not JSON") from None


def message(data: bytes) -> str:
    """The engine's error message, on one line."""
    try:
        found = json.loads(data)
        text = found["message"] if isinstance(found["message"], str) else data.decode(errors="replace")
    except (ValueError, KeyError, TypeError, RecursionError):
        text = data.decode(errors="replace")
    return brief(text)


def brief(text: str) -> str:
    """The engine's text on one line, cut if it is too long."""
    return shortened(" ".join(text[: 8 * MESSAGE_LIMIT].split()), MESSAGE_LIMIT)


def _is_text(value: object) -> TypeGuard[str]:
    """A lone surrogate is valid JSON, but not valid text."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
