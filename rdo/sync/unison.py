"""`sync = "unison"`: the user's own unison synchronises both sides before a command, over `rdo-rsh`."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import IO, NamedTuple

from rdo.drivers.caller import Caller
from rdo.errors import RdoError, reason
from rdo.fscodec import fsdecode
from rdo.util.lines import split_lines

LOOK_INTERVAL = 0.5
"""Seconds between two checks whether the caller is still waiting."""

SKIPPED = 1
"""The exit status if all went well, except for files that were changed on both sides: see `EXIT STATUS` in unison's
manual."""

OUTPUT_LIMIT = 64 * 1024
"""Bytes of unison's messages to read."""


class UnisonPlace(NamedTuple):
    """Both directories, and how to tell `rdo-rsh` which target is meant."""

    root: str
    directory: str
    host: str
    """A name that `rdo-rsh` accepts in the root's directory."""
    profile: str
    target: str
    """The target's name for messages."""


def run(place: UnisonPlace, caller: Caller) -> None:
    """Synchronise both sides. Raises RdoError, CallerGone."""
    command = [
        _program("unison", caller.environment),
        place.root,
        f"ssh://{place.host}/{place.directory}",
        *("-batch", "-terse", "-sshcmd", _program("rdo-rsh", caller.environment)),
    ]
    environment = {**caller.environment, "RDO_PROFILE": place.profile}
    with tempfile.TemporaryFile() as complaint:
        try:
            process = subprocess.Popen(
                command,
                cwd=place.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=complaint,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise RdoError("cannot run `unison`", reason(error)) from None
        status = _wait(process, place, caller)
        if status:
            raise _fault(status, complaint, place)


def _wait(process: subprocess.Popen[bytes], place: UnisonPlace, caller: Caller) -> int:
    """The exit status. The program is ended if nobody waits for it any more."""
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(LOOK_INTERVAL)
            caller.progress(f"unison is copying files to and from `{place.target}`")
    except BaseException:
        process.kill()
        process.wait()
        raise


def _fault(status: int, complaint: IO[bytes], place: UnisonPlace) -> RdoError:
    complaint.seek(max(0, complaint.seek(0, os.SEEK_END) - OUTPUT_LIMIT))
    lines = [
        " ".join(line.split()) for line in split_lines(fsdecode(complaint.read())) if line.strip()
    ]  # its output has columns
    by_hand = f"`unison {place.root} ssh://{place.host}/{place.directory} -sshcmd rdo-rsh`"
    if status == SKIPPED:
        why = next((line for line in lines if "<-?->" in line), lines[-1] if lines else "it skipped files")
        hint = f"run {by_hand} and choose"
        return RdoError(f"files have changed both here and on `{place.target}`", why, hint)
    why = lines[-1] if lines else f"status {status}"
    return RdoError(f"unison could not make the files here and on `{place.target}` the same", why, f"try {by_hand}")


def _program(name: str, environment: Mapping[str, str]) -> str:
    """The path of a program: from this installation, else from the caller's PATH. Raises RdoError."""
    places = [os.path.dirname(sys.executable), os.path.join(sys.prefix, "bin")] if name.startswith("rdo") else []
    path = os.pathsep.join([*places, environment.get("PATH", os.defpath)])
    found = shutil.which(name, path=path)
    if found is None:
        raise RdoError(f"there is no `{name}` here", "", f"install {name}, or remove `sync`")
    return found
