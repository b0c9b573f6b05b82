"""The text of a shim, a small POSIX sh script that stands in for a tool on the target. Pure.

A shim may end up running itself: on a target that shares the project and has its shims in PATH, or is this machine; in
a program that rdo runs here to connect; as the local tool that it falls back to. When a shim finds that it runs within
rdo (see rdo.__main__.INSIDE), it runs the next program of its name in PATH that is not a shim. The text is in
remote_sh/shim.sh, and keeps its comments for whoever opens a shim.
"""

from __future__ import annotations

import re
import shlex

from rdo.remote_sh.template import fill, source

MARK = "# A shim of rdo, made by: rdoctl shim add. Not for git: the paths in it are those of this machine."
"""The second line of every shim, which identifies it."""

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")

OWN = ("rdo", "rdo-client", "rdoctl", "rdo-rsh")

OPTIONS = "-m --fallback -e RDO_INSIDE"


def render(name: str, project: str, profile: str, rdo: str) -> str:
    """The script for a tool. `project` is the directory of the `.rdo.conf`, `rdo` the program; both absolute.

    Without a `profile`, the caller's environment selects one.
    """
    options = f"-p {shlex.quote(profile)} {OPTIONS}" if profile else OPTIONS
    values = {"MARK": MARK, "NAME": name, "PROJECT": shlex.quote(project), "RDO": shlex.quote(rdo), "OPTIONS": options}
    return fill(source("shim"), **values)


def is_shim(head: bytes) -> bool:
    """Whether a file that starts with these bytes is a shim."""
    return head.split(b"\n", 2)[1:2] == [MARK.encode()]


def refusal(name: str) -> str:
    """Why there can be no shim of that name; empty if there can be one."""
    if name in OWN:
        return "it would call itself"
    rule = "a name has letters, digits and `_`, and after the first character `.`, `+` and `-` too"
    return "" if NAME.fullmatch(name) else rule


def without_shims(path: str, base: str) -> list[str]:
    """The directories in PATH except those of shims: the ones below `base`, and the places where earlier releases put
    them."""
    return [each for each in path.split(":") if not each.startswith(f"{base}/") and not is_in_project(each)]


def is_in_project(directory: str) -> bool:
    """Whether this is the directory in a project that holds shims for editors."""
    return directory.rstrip("/").endswith("/.rdo/bin")


def assignment(path: str) -> str:
    """A line that sets PATH in sh, bash, zsh and fish. Only fish interprets a backslash within single quotes."""
    return "export PATH='" + re.sub(r"(['\\])", r"'\\\1'", path) + "'"
