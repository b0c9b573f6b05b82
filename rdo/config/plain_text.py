"""What a TOML text says that is as plain as most config files are: in each line `name = "text"`, true, false, a whole
number, a list of texts, or `[profile]`. Pure.

A TOML parser takes longer to load than all that is done with such a file. Whatever is not as plain is left to it, and
so is each mistake.
"""

from __future__ import annotations

from typing import Any

from rdo.config.document import ConfigText

BLANKS = " \t"

DIGITS_LIMIT = 9
"""Of a number. No key takes a larger one."""


def read(text: str) -> ConfigText | None:
    """What the text says, and where; None if it takes a TOML parser to tell."""
    if not text.replace("\n", " ").replace("\t", " ").isprintable():
        return None
    data: dict[str, Any] = {}
    lines: dict[tuple[str, ...], int] = {}
    table, above = data, ""
    for number, whole in enumerate(text.split("\n"), 1):
        line = whole.partition("#")[0].strip(BLANKS)  # of a text with a `#`, half is left, which is not plain
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
    """Whether it may stand for a key without quotes, and is a single one."""
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
    """The text between two quotes, if there is nothing in it that means something else."""
    text = written[1:-1]
    return text if written == f'"{text}"' and '"' not in text and "\\" not in text else None
