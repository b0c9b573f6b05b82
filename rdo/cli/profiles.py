"""The names of profiles, as cheap as can be, and from files that have a fault too: for completion."""

from __future__ import annotations

import os
import re

from rdo import project
from rdo.config.document import FILE_LIMIT
from rdo.config.schema import DEFAULT_PROFILE, KEYS
from rdo.project import FoundConfig
from rdo.util import foreign_file

HEADER = re.compile(r"^[ \t]*\[[ \t]*[\"']?([\w-]+)[\"']?[ \t]*[].]", re.MULTILINE)
"""`[NAME]` or `[NAME.env]` on a line of its own."""


def names(found: FoundConfig) -> list[str]:
    """The profiles that the config files name, `default` first."""
    directory = os.path.dirname(found.config)
    files = (project.user_file(os.environ), found.config, os.path.join(directory, project.LOCAL_CONFIG))
    written = [name for file in files for name in HEADER.findall(_text(file)) if name not in KEYS]
    return list(dict.fromkeys([DEFAULT_PROFILE, *written]))


def _text(file: str) -> str:
    try:
        return foreign_file.read_text(file, FILE_LIMIT)
    except OSError:
        return ""
