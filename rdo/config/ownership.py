"""Who owns a config file: one that others can write says whatever they like.

Checks an open descriptor, so that the file cannot be exchanged between the check and the reading.
"""

import grp
import os
import pwd
import shlex
import stat
from typing import NamedTuple

from rdo.config.entries import Origin
from rdo.errors import ConfigError


class Exposure(NamedTuple):
    """A config file that somebody else can change: `fault` says how; `rights` are owner and mode."""

    file: str
    fault: str
    rights: str
    hint: str

    @property
    def error(self) -> ConfigError:
        """The refusal, unless the user has accepted exactly these rights."""
        return Origin(self.file).error(self.fault, f"{self.hint}, or `rdoctl allow` to accept it anyway")


def exposure_of(file: str, descriptor: int) -> Exposure | None:
    """Whether the file, or a link to it, is not the user's or root's, or can be written by others."""
    info, link = os.fstat(descriptor), os.lstat(file)
    rights = f"uid {info.st_uid}, gid {info.st_gid}, mode {stat.S_IMODE(info.st_mode):04o}"
    if link.st_uid != info.st_uid:
        rights += f", by a link of uid {link.st_uid}"
    for owner, option in ((info.st_uid, ""), (link.st_uid, "-h ")):
        if owner not in (os.geteuid(), 0):
            hint = f"if you trust it, `sudo chown {option}{os.geteuid()} {shlex.quote(file)}`"
            return Exposure(file, f"belongs to another user (uid {owner})", rights, hint)
    if info.st_mode & stat.S_IWOTH:
        return Exposure(file, "can be written by everyone", rights, f"`chmod go-w {shlex.quote(file)}`")
    if info.st_mode & stat.S_IWGRP and not _is_private(info.st_gid, info.st_uid):
        return Exposure(file, "can be written by a group", rights, f"`chmod g-w {shlex.quote(file)}`")
    return None


def _is_private(group: int, user: int) -> bool:
    """Whether it is the user's primary group, named after the user and without others: then umask 002 is common."""
    try:
        person, found = pwd.getpwuid(user), grp.getgrgid(group)
    except KeyError:
        return False
    return person.pw_gid == group and found.gr_name == person.pw_name and set(found.gr_mem) <= {person.pw_name}
