"""Whose a config file is. A file that others can write says what they want, whoever they are.

Judges an open descriptor, so that nobody can change the file between the look and the reading.
"""

import grp
import os
import pwd
import shlex
import stat

from rdo.document import Origin


def check(file: str, descriptor: int) -> None:
    """Raises ConfigError for a file, or a link to it, that is not the user's or root's, or that others can write."""
    info = os.fstat(descriptor)
    for owner, option in ((info.st_uid, ""), (os.lstat(file).st_uid, "-h ")):
        if owner not in (os.geteuid(), 0):
            hint = f"if you trust it, `sudo chown {option}{os.geteuid()} {shlex.quote(file)}`"
            raise Origin(file).error(f"belongs to another user (uid {owner})", hint)
    if info.st_mode & stat.S_IWOTH:
        raise Origin(file).error("can be written by everyone", f"`chmod go-w {shlex.quote(file)}`")
    if info.st_mode & stat.S_IWGRP and not _is_private(info.st_gid, info.st_uid):
        raise Origin(file).error("can be written by a group", f"`chmod g-w {shlex.quote(file)}`")


def _is_private(group: int, user: int) -> bool:
    """Whether it is the user's primary group, named after the user and without others: then umask 002 is common."""
    try:
        person, found = pwd.getpwuid(user), grp.getgrgid(group)
    except KeyError:
        return False
    return person.pw_gid == group and found.gr_name == person.pw_name and set(found.gr_mem) <= {person.pw_name}
