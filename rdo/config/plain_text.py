"""Parses TOML that is as simple as most config files are: each line is `name = "text"`, true, false, an integer, a list
of strings, or `[profile]`. Pure.

A TOML parser takes longer to load than everything else done with such a file. Anything more complex is left to it, as
is every error.
"""

from __future__ import annotations

from typing import Any

from rdo.config.document import ConfigText

BLANKS = " \t"

DIGITS_LIMIT = 9
"""Digits of a number. No key allows a larger one."""


def read(text: str) -> ConfigText | None:
    """The data and the lines; None if a TOML parser is needed."""
    if not text.replace("\n", " ").replace("\t", " ").isprintable():
        return None
    data: dict[str, Any] = {}
    lines: dict[tuple[str, ...], int] = {}
    table, above = data, ""
    for number, whole in enumerate(text.split("\n"), 1):
        line = whole.partition("#")[0].strip(BLANKS)  # what is left of a string with a `#` in it is not valid here
        name, _, written = line.partition("=")
        key, value = name.rstrip(BLANKS), _value(written.strip(BLANKS))
        if value is not None and _is_bare(key) and key not in table:
            table[key] = value
            lines[(above, key) if above else (key,)] = number
        elif line[:1] == "[" and line[-1:] == "]" and _is_bare(line[1:-1]) and line[1:-1] not in data:
            above = line[1:-1]
            lines[(above,)] = number
            table = data[above] = {}
        elif line:
            return None
    return ConfigText(data, lines)


def _is_bare(name: str) -> bool:
    """Whether it may be an unquoted key, and only a single one."""
    return name.isascii() and name.replace("_", "a").replace("-", "a").isalnum()


def _value(written: str) -> str | bool | int | list[str | None] | None:
    if written in ("true", "false"):
        return written == "true"
    if written.isascii() and written.isdecimal() and len(written) <= DIGITS_LIMIT:
        return int(written) if str(int(written)) == written else None
    if written[:1] == "[" and written[-1:] == "]":
        texts = [_text(item.strip(BLANKS)) for item in written[1:-1].split(",")]
        return None if None in texts else texts
    return _text(written)


def _text(written: str) -> str | None:
    """The string between two quotes, if nothing in it has a special meaning."""
    text = written[1:-1]
    return text if written == f'"{text}"' and '"' not in text and "\\" not in text else None
