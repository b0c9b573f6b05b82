"""Which program of this machine would open a URL."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping

from rdo.client import browser


def program(environ: Mapping[str, str]) -> str:
    """The first that there is, as it would be called; empty if there is none."""
    names = (words[0] for words in browser.commands("", environ, sys.platform))
    return next((name for name in names if shutil.which(name, path=environ.get("PATH"))), "")
