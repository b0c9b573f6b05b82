"""The types of values that a config key may have: each checks what was written, and converts it for the rest of rdo.

Pure. Knows neither which key has which type (schema.py), nor in which file or line a value is.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from rdo import printable
from rdo.config.names import (
    IMAGE_LIMIT,
    NAME_LIMIT,
    PATH_LIMIT,
    directory_fault,
    from_login,
    host_fault,
    inside_fault,
    jump_fault,
    length_fault,
    name_fault,
    pattern_fault,
    port_fault,
    user_fault,
)
from rdo.util.phrases import listed, literal, nearest, shortened, shown

DURATION_LIMIT = 366 * 86400
"""Seconds. A longer duration is a typing error, and would overflow the system calls that wait."""

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
"""Seconds in each unit of a duration, as in TIME FORMATS of sshd_config(5)."""

BOOLEAN_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
"""Words for true and false in an INI file."""

DURATION_FORM = r"(?=.)(?:[0-9]{1,9}[smhdw])*(?:[0-9]{1,9})?"
VARIABLE_FORM = r"[A-Za-z_][A-Za-z0-9_]*"
GLOB_FORM = r"[A-Za-z_*?\[][A-Za-z0-9_*?\[\]!-]*"


class InvalidValue(Exception):
    """A value that its type does not allow.

    `why` follows the name of the key. `instead` is the value to write; `hint` replaces it if that is not enough. `part`
    names the invalid entry of a table.
    """

    def __init__(self, why: str, instead: str = "", hint: str = "", part: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.instead = instead
        self.hint = hint
        self.part = part


class ValueType(NamedTuple):
    """How a value is checked, how the unquoted text of an INI file is converted to one, and its JSON Schema for
    editors."""

    check: Callable[[object], Any]
    from_bare: Callable[[str], object] = str
    schema: Mapping[str, Any] = MappingProxyType({})
    """As much as JSON Schema can express. It allows everything that `check` allows."""


def text(
    fault: Callable[[str], str] = lambda _: "", most: int = PATH_LIMIT, then: Callable[[str], str] = str
) -> ValueType:
    """A string of at most `most` visible characters, in which `fault` finds nothing wrong.

    `then` converts it for the rest of rdo.
    """

    def check(value: object) -> str:
        if not isinstance(value, str):
            raise InvalidValue(f"must be a string, not {shown(value)}", literal(value))
        why = fault(value) or printable.fault(value) or length_fault(value, most)
        if why or not value:
            raise InvalidValue(why or "is empty")
        return then(value)

    return ValueType(check, schema=_text_schema(most))


def choice(*names: str) -> ValueType:
    def check(value: object) -> str:
        if isinstance(value, str) and value in names:
            return value
        near = nearest(value, names) if isinstance(value, str) else ""
        raise InvalidValue(f"must be one of {listed(names)}, not {shown(value)}", hint=near)

    return ValueType(check, schema={"enum": list(names)})


def strings(fault: Callable[[str], str] = lambda _: "", most: int = PATH_LIMIT) -> ValueType:
    """A list of strings of at most `most` characters each; in INI files they are separated by commas or spaces."""

    def check(value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            instead = literal(value)
            raise InvalidValue(f"must be a list of strings, not {shown(value)}", instead and f"[{instead}]")
        return tuple(map(entry, value))

    def entry(value: object) -> str:
        if not isinstance(value, str):
            raise InvalidValue(f"must be a list of strings, but contains {shown(value)}")
        why = fault(value) or printable.fault(value) or length_fault(value, most)
        if why or not value:
            raise InvalidValue(f"contains {shown(value)}, which {why or 'is empty'}")
        return value

    schema = {"type": "array", "items": _text_schema(most)}
    return ValueType(check, lambda bare: bare.replace(",", " ").split(), schema)


def _text_schema(most: int) -> Mapping[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most}


def _check_flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    meant = BOOLEAN_WORDS.get(str(value).lower()) if isinstance(value, str) or value in (0, 1) else None
    raise InvalidValue(f"must be true or false, not {shown(value)}", "" if meant is None else str(meant).lower())


def _check_port(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and not port_fault(value):
        return value
    meant = _number(value) if isinstance(value, str) else value
    instead = str(meant) if isinstance(value, str) and isinstance(meant, int) and not port_fault(meant) else ""
    raise InvalidValue(f"must be a number from 1 to 65535, not {shown(value)}", instead)


def _number(word: str) -> object:
    return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else word


def _check_duration(value: object) -> float:
    seconds: object = value
    if isinstance(value, str) and re.fullmatch(DURATION_FORM, value):
        seconds = sum(int(count) * UNITS[unit] for count, unit in re.findall("([0-9]+)([smhdw]?)", value))
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise InvalidValue(
            f"must be a number of seconds, or a time such as `90s`, `30m`, `8h` or `1d`, not {shown(value)}"
        )
    if not 0 <= seconds <= DURATION_LIMIT:
        raise InvalidValue(f"must be between 0 s and 366 days, not {shown(value)}")
    return float(seconds)


def _check_variables(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise InvalidValue(f"must be a table of names and strings, not {shown(value)}")
    return MappingProxyType({name: _check_variable(name, written) for name, written in value.items()})


def _check_variable(name: str, value: object) -> str:
    if not re.fullmatch(VARIABLE_FORM, name):
        hint = "a name consists of letters, digits and `_`, and does not start with a digit"
        raise InvalidValue("is not a valid environment variable name", hint=hint, part=shortened(name))
    if why := length_fault(name, NAME_LIMIT):
        raise InvalidValue(f"has a name that {why}", hint="shorten it", part=shortened(name))
    if not isinstance(value, str):
        instead = literal(value) or '"..."'
        raise InvalidValue(f"must be a string, not {shown(value)}", hint=f"quote it: `{name} = {instead}`", part=name)
    if "\0" in value:
        raise InvalidValue("contains a NUL, which the environment cannot hold", hint="remove it", part=name)
    return value


def _glob_fault(name: str) -> str:
    return "" if re.fullmatch(GLOB_FORM, name) else "is neither the name of an environment variable nor a pattern"


def _host_fault(host: str) -> str:
    return "contains `@`, but the user has a key of its own" if "@" in host else host_fault(host)


TEXT = text()
HOST = text(_host_fault, NAME_LIMIT)
USER = text(user_fault, NAME_LIMIT)
JUMP = text(jump_fault)
NAME = text(name_fault, NAME_LIMIT)
IMAGE = text(name_fault, IMAGE_LIMIT)
DIRECTORY = text(directory_fault, then=from_login)
INSIDE = text(inside_fault)
DIRECTORIES = strings()
VARIABLE_GLOBS = strings(_glob_fault, NAME_LIMIT)
PATH_GLOBS = strings(pattern_fault)
FLAG = ValueType(_check_flag, lambda bare: BOOLEAN_WORDS.get(bare.lower(), bare), {"type": "boolean"})
PORT = ValueType(_check_port, _number, {"type": "integer", "minimum": 1, "maximum": 65535})
DURATION = ValueType(
    _check_duration,
    schema={
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": DURATION_LIMIT},
            {"type": "string", "pattern": f"^{DURATION_FORM}$"},
        ]
    },
)
VARIABLES = ValueType(
    _check_variables,
    schema={
        "type": "object",
        "patternProperties": {f"^{VARIABLE_FORM}$": {"type": "string"}},
        "additionalProperties": False,
    },
)
