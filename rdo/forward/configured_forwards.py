"""The forwards in a target's own configuration, such as LocalForward of ssh."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

from rdo.config.forwards import Forward, ForwardKind, ForwardSet
from rdo.errors import SetupError
from rdo.forward.forward_words import moved_line
from rdo.forward.held_forward import HeldForward
from rdo.forward.target_forwards import ConfiguredAttempt, TargetForwards

OWNER = "the ssh configuration"
"""The owner of these forwards, as reports name it."""


def hold(target: TargetForwards, wanted: ForwardSet) -> Iterator[str]:
    """Hold the forwards, and return lines about those that have moved or failed. Raises SetupError if a required one
    fails."""
    attempt = ConfiguredAttempt(frozenset(target.pool.shells.connections))
    target.configured[wanted] = attempt  # now, so that commands which begin meanwhile do not try as well
    remote = []
    for forward in wanted.forwards:
        try:
            held, line = _hold(target, forward, wanted)
        except SetupError as error:
            name = f"{forward.kind.value.capitalize()}Forward"
            failure = SetupError(error.what, error.why, f"{name} of your ssh configuration asks for it")
            if wanted.is_required:
                target.configured.pop(wanted, None)
                raise failure from None
            yield str(failure)
            continue
        if line:
            yield line
        if forward.kind is ForwardKind.REMOTE:
            remote.append(held)
    target.configured[wanted] = attempt._replace(remote=remote)


def _hold(target: TargetForwards, forward: Forward, wanted: ForwardSet) -> tuple[HeldForward, str]:
    path = forward.listen.path if forward.kind is ForwardKind.LOCAL else ""
    if path and wanted.replaces_sockets and not any(held.forward == forward for held in target.held):
        with contextlib.suppress(OSError):  # listening there will fail, too, and report why
            if stat.S_ISSOCK(os.lstat(path).st_mode):
                os.unlink(path)
    held, is_new = target.hold(OWNER, forward)
    if is_new and path:
        with contextlib.suppress(OSError):  # somebody else has removed it
            os.chmod(path, wanted.socket_mode)
    line = moved_line(held, target.pool.target.name) if is_new and held.endpoint != forward.listen else ""
    return held, line
