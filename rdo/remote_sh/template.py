"""The .sh files of this package as the text that is sent: read and minified once, when a module that has use for one is
loaded, so that an upgrade in place changes nothing for a control master that runs.

`@NAME@` in a file is a place for a value, which the caller quotes if it is a word.
"""

from __future__ import annotations

import os.path
import re

from rdo.remote_sh.minify import minify

_PLACE = re.compile("@([A-Z_]+)@")


def load(name: str, **values: str) -> str:
    """The text of a file, on one line without its newline, with these values; other places stay as they are."""
    text = minify(source(name))
    return _PLACE.sub(lambda match: values.get(match[1], match[0]), text)


def fill(text: str, **values: str) -> str:
    """The text with all places filled in. What a value holds is not looked at again."""
    return _PLACE.sub(lambda match: values[match[1]], text)


def source(name: str) -> str:
    """What the file says."""
    with open(os.path.join(os.path.dirname(__file__), f"{name}.sh"), encoding="ascii") as file:
        return file.read()
