"""Valid names of hosts, users, jump hosts, machines, containers and images.

Such names come from files that others wrote, and end up in argument lists and in commands that a shell reads
(CVE-2017-1000117: a host name `-oProxyCommand=...`). Pure: each function returns what is wrong with a name, as a phrase
that follows it; empty if nothing is.
"""

import re

from rdo import printable
from rdo.util.phrases import shortened

HOST_REFUSED = frozenset("'`\"$\\;&<>|(){},@")
"""valid_hostname() in OpenSSH's ssh.c, and `@`: the user is a key of its own."""

USER_REFUSED = frozenset("'`\";&<>|(){}$")
"""valid_ruser() in OpenSSH's ssh.c, and `$`, which a ProxyCommand with `%r` would hand to a shell."""

NAME_LIMIT = 255
"""Characters: NI_MAXHOST without its NUL, and more than any system allows for a user, a machine or a container."""

IMAGE_LIMIT = 512
"""Characters: a name of 255, a tag of 128 and a digest of 71 in the reference grammar of distribution."""

PATH_LIMIT = 1024
"""Characters: PATH_MAX of macOS. Real paths are much shorter, and one of four thousand fills a screen."""

HOP = r"(?:ssh://)?(?:(?P<user>.*)@)?(?:\[(?P<ipv6>[^]]*)\]|(?P<host>[^:]*))(?::(?P<port>[0-9]{1,9}))?"
"""A regular expression as text, like others here that few files need, since `re` compiles each when it is first
used."""


def length_fault(text: str, most: int) -> str:
    return f"is longer than {most:,} characters" if len(text) > most else ""


def name_fault(name: str) -> str:
    if name.startswith("-"):
        return "begins with `-`"
    if any(char.isspace() for char in name):
        return "contains white space"
    return printable.fault(name)


def host_fault(host: str) -> str:
    return name_fault(host) or _character_fault(host, HOST_REFUSED)


def user_fault(user: str) -> str:
    if user.endswith("\\"):
        return "ends with a backslash"
    return name_fault(user) or _character_fault(user, USER_REFUSED)


def jump_fault(jump: str) -> str:
    """ProxyJump of ssh_config(5): the hosts to pass through, in order, as `[USER@]HOST[:PORT]`; or `none`."""
    hops = ((hop, _hop_fault(hop)) for hop in jump.split(","))
    return next((f"contains `{shortened(hop)}`, which {fault}" for hop, fault in hops if fault), "")


def port_fault(port: int) -> str:
    return "" if 1 <= port <= 65535 else "is not between 1 and 65535"


def _hop_fault(hop: str) -> str:
    match = re.fullmatch(HOP, hop)
    if not match:
        return "is not of the form `[USER@]HOST[:PORT]`"
    host, user = match["ipv6"] or match["host"], match["user"]
    if not host or user == "":
        return "has no name"
    fault = host_fault(host) or user_fault(user or "") or length_fault(hop, 2 * NAME_LIMIT)
    return fault or ("has a port that is not between 1 and 65535" if port_fault(int(match["port"] or 22)) else "")


def _character_fault(name: str, refused: frozenset[str]) -> str:
    found = next((char for char in name if char in refused), "")
    if not found:
        return ""
    return "contains a backtick" if found == "`" else f"contains `{found}`"


def directory_fault(directory: str) -> str:
    """What is wrong with a directory on the target, which may be relative to the login directory, with or without
    `~`."""
    is_other = directory.startswith("~") and directory[1:2] not in ("", "/")
    return "is in the home directory of another user" if is_other else ""


def from_login(directory: str) -> str:
    """The same directory, with `~` for the login directory if it is not absolute."""
    return directory if directory.startswith(("/", "~")) else "~/" + directory if directory != "." else "~"


def in_login(directory: str) -> str:
    """The same directory without `~`, relative to the login directory; others are left as they are."""
    is_home = directory == "~" or directory.startswith("~/")
    return (directory[1:].strip("/") or ".") if is_home else directory


def pattern_fault(pattern: str) -> str:
    """What is wrong with a pattern for the project's files, in the style of .gitignore."""
    if pattern.startswith("!"):
        return "begins with `!`, which only .gitignore knows"
    return inside_fault(pattern) or ("names no file" if not pattern.strip("/.") else "")


def inside_fault(path: str) -> str:
    """What is wrong with a path within the project, relative to the `.rdo.conf`."""
    if path.startswith(("/", "~")):
        return "is not relative to the project"
    return "leads out of the project" if ".." in path.split("/") else ""
