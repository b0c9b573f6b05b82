"""Finds the names of profiles for completion: quickly, and even in files with errors."""

from __future__ import annotations

import os
import re

from rdo import project
from rdo.config.document import FILE_LIMIT
from rdo.config.schema import DEFAULT_PROFILE, KEYS
from rdo.project import FoundConfig
from rdo.util import foreign_file

HEADER = re.compile(r"^[ \t]*\[[ \t]*[\"']?([\w-]+)[\"']?[ \t]*[].]", re.MULTILINE)
"""Matches `[NAME]` or `[NAME.env]` at the start of a line."""


def names(found: FoundConfig) -> list[str]:
    """The profiles in the config files, `default` first."""
    directory = os.path.dirname(found.config)
    files = (project.user_file(os.environ), found.config, os.path.join(directory, project.LOCAL_CONFIG))
    written = [name for file in files for name in HEADER.findall(_text(file)) if name not in KEYS]
    return list(dict.fromkeys([DEFAULT_PROFILE, *written]))


def _text(file: str) -> str:
    try:
        return foreign_file.read_text(file, FILE_LIMIT)
    except OSError:
        return ""
