"""The check of `rdoctl doctor` of `auto_forward`: whether the target can say what commands listen on."""

from __future__ import annotations

from collections.abc import Iterator

from rdo.cli.doctor.check import Check, Finding, ok, warning
from rdo.cli.doctor.target import TargetCommands
from rdo.config.load import Config
from rdo.forward import listening_script
from rdo.remote_sh.template import load

WAYS = {"proc": "by /proc/net/tcp", "ss": "by `ss`", "lsof": "by `lsof`"}


def checks(config: Config) -> Iterator[Check]:
    """None where the profile does not set it."""
    if config.settings.auto_forward:
        yield Check("auto_forward", lambda: _find(config), needs=("login",))


def _find(config: Config) -> Finding:
    if config.settings.driver == "local":
        return ok("not needed, as ports of the target are ports of this machine")
    if config.settings.fresh:
        return warning("it has no effect with `fresh`", "remove one of them")
    script = f"{load('newline')}; {listening_script.SCRIPT}"
    found = TargetCommands(config).probe("--dir", ".", "-c", script)
    if found.detail == listening_script.NONE.decode():
        return warning("the target has neither `awk` with /proc nor `lsof`", "install one of them there")
    return ok(WAYS[found.detail]) if found.detail in WAYS else found
