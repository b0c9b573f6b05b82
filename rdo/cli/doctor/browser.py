"""The check of `rdoctl doctor` for `open_browser`: whether there is a browser here, and a place for the programs on the
target."""

from __future__ import annotations

import os
from collections.abc import Iterator

from rdo.cli.doctor.check import Check, Finding, failed, ok, warning
from rdo.cli.doctor.target import TargetCommands
from rdo.client import browser
from rdo.config.load import Config

FIND_PROGRAMS = 'case ":$PATH" in *:/*/rdo-*/bin:*) [ -n "${RDO_BROWSER-}" ] && echo yes;; esac || :'
"""For the target's shell: whether the command found the programs that pass URLs to rdo."""


def checks(config: Config) -> Iterator[Check]:
    """The check; none if the profile does not set the key."""
    if config.settings.open_browser != "no":
        yield Check("open_browser", lambda: _find(config), needs=("login",))


def _find(config: Config) -> Finding:
    if config.settings.driver == "local":
        return ok("not needed, as commands use the browser of this machine")
    if config.settings.fresh:
        return warning("it has no effect with `fresh`", "remove one of them")
    program = browser.program(os.environ)
    if not program:
        return failed("no browser was found here", "set BROWSER to the command that starts one")
    found = TargetCommands(config).probe("--dir", ".", "-c", FIND_PROGRAMS)
    if found.detail == "yes":
        return ok(f"URLs are opened by `{program}`")
    return warning(
        "commands on the target cannot find the programs that pass URLs to rdo", "type `rdo -v true` to see why"
    )
