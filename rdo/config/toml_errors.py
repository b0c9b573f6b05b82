"""What is wrong with a text that is no TOML, as one line: where, why, and what to write instead.

Pure: the parser and its complaint come in as arguments. The complaints are those of tomllib and tomli.
"""

import re

from rdo.config.entries import Origin
from rdo.config.schema import KEYS
from rdo.config.toml_lines import TomlParser, unfinished
from rdo.config.types import FLAG, WORDS
from rdo.errors import ConfigError
from rdo.util.phrases import literal

LATE = ("unclosed", "unterminated")
"""How complaints begin that come only where the next thing stands, or at the end."""

CLASHES = ("cannot", "duplicate")
"""How complaints begin about what would be right if it were the first."""

_COMPLAINT = re.compile(r"(?P<why>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)", re.DOTALL)
_PAIR = re.compile(r"([A-Za-z0-9_.-]+)[ \t]*=[ \t]*([^#]*)")


def syntax_error(file: str, text: str, complaint: Exception, parse: TomlParser) -> ConfigError:
    """The error for a complaint of the TOML parser about a text."""
    if isinstance(complaint, RecursionError):
        return Origin(file).error("nested too deep", "write it flat")
    told = _COMPLAINT.fullmatch(str(complaint))
    if not told:
        return Origin(file, unfinished(text, parse)).error("a number too long to read", "shorten it")
    why = told["why"][:1].lower() + told["why"][1:]
    is_late = not told["line"] or why.startswith(LATE)
    line = unfinished(text, parse) if is_late else int(told["line"])
    if why.startswith(CLASHES):
        return Origin(file, line).error(why, "something of that name stands further up")
    return Origin(file, line).error(why, remedy(text.split("\n")[line - 1]) if line else "")


def remedy(line: str) -> str:
    """What to write instead of a line that is no TOML; nothing where that cannot be told."""
    line = line.strip()
    pair = _PAIR.match(line)
    if not pair:
        word = re.match(r"[A-Za-z0-9_-]+", line)
        return f"write `{word[0]} = VALUE`" if word and "=" not in line else ""
    key, value = pair[1], pair[2].strip()
    if value.startswith(("'", '"')):
        return f"close the string with {value[0]}" if value.count(value[0]) == 1 else ""
    if value.startswith("["):
        return "" if "]" in value else "close the list with ]"
    if not value or value.startswith("{") or value in ("true", "false"):
        return ""
    if key in KEYS and KEYS[key].value_type is FLAG and value.lower() in WORDS:
        return f"write `{key} = {str(WORDS[value.lower()]).lower()}`"
    quoted = literal(value.rstrip("'\""))
    return f"quote it: `{key} = {quoted}`" if quoted else "quote it"
