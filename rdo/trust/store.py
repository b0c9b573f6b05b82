"""Records of what the user has allowed, in the state directory, and whether they cover a config.

Each config file and profile has a record in a file of its own, which is replaced atomically, so that several processes
may write. What needs to be allowed is decided in request.py; how the user is asked, in question.py.
"""

import errno
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from rdo.config.load import Config
from rdo.errors import RdoError, SetupError, reason
from rdo.fscodec import fsencode
from rdo.trust.request import TrustRequest, Values, requested
from rdo.util import foreign_file, private_directory
from rdo.util.digest import sha256_hex

BYPASS = "RDO_TRUST"
"""Allows everything if set to `1`: for CI, which runs the repository's code anyway."""

REMEDIES = {
    errno.ENOSPC: "free disk space there, or ",
    errno.EDQUOT: "free disk space there, or ",
    errno.EACCES: "fix its permissions, or ",
}
"""How to make a failed write succeed, by error number."""

SIZE_LIMIT = 1024 * 1024
"""Bytes to read of a record or a program. A record holds the contents of two config files."""


class TrustStatus(Enum):
    """What the user has decided about a request."""

    FREE = "nothing that has to be allowed"
    BYPASSED = f"allowed by {BYPASS}=1"
    ALLOWED = "allowed"
    CHANGED = "changed since it was allowed"
    UNKNOWN = "not allowed yet"
    EXPOSED = "not allowed yet: others can change it"

    @property
    def is_allowed(self) -> bool:
        return self in (TrustStatus.FREE, TrustStatus.BYPASSED, TrustStatus.ALLOWED)


class Record(NamedTuple):
    """What was allowed, and when (seconds since the epoch)."""

    config: str
    profile: str
    digest: str
    date: float
    values: Values = ()


class Store:
    """The records of one user. Raises SetupError if other users could have written them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._directory = private_directory.state_directory(environment, "allowed")

    @property
    def directory(self) -> str:
        """The directory of the records. Its modification time changes whenever one is added or removed."""
        return self._directory

    def find(self, config: str, profile: str) -> Record | None:
        """The record for a profile of a config file."""
        record = self._read(self._path(config, profile))
        return record if record and (record.config, record.profile) == (config, profile) else None

    def equal(self, request: TrustRequest) -> Record | None:
        """A record that allows exactly this request, for any profile of the file."""
        own = self.find(request.config, request.profile)
        if own and own.digest == request.digest:
            return own
        return next(
            (each for each in self._all() if (each.config, each.digest) == (request.config, request.digest)), None
        )

    def add(self, request: TrustRequest) -> None:
        """Record that the request is allowed, in place of what was allowed before. Raises SetupError."""
        record = Record(request.config, request.profile, request.digest, time.time(), request.all)
        try:
            private_directory.make_state(self._directory)
            from rdo.util import atomic_write  # loaded here, since what creates temporary files is slow to load

            atomic_write.write(self._path(request.config, request.profile), json.dumps(record._asdict()))
        except OSError as error:
            what = f"cannot record in `{self._directory}` what is allowed"
            hint = f"{REMEDIES.get(error.errno or 0, '')}set {BYPASS}=1 for this once"
            raise SetupError(what, reason(error), hint) from None

    def forget(self, config: str, profile: str) -> bool:
        """Revoke what was allowed, and return whether there was a record. Raises SetupError."""
        try:
            os.unlink(self._path(config, profile))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise SetupError(f"cannot remove a file of `{self._directory}`", reason(error)) from None
        return True

    def records(self) -> list[Record]:
        """All records, sorted by config file and profile."""
        return sorted(self._all())

    def _all(self) -> Iterator[Record]:
        try:
            names = os.listdir(self._directory)
        except OSError:
            return
        for name in names:
            record = None if name.startswith(".") else self._read(os.path.join(self._directory, name))
            if record:
                yield record

    def _path(self, config: str, profile: str) -> str:
        name = sha256_hex(fsencode(f"{config}\0{profile}"))[:32]
        return os.path.join(self._directory, name)

    def _read(self, path: str) -> Record | None:
        """The record in a file that no other user can have written; None for anything else."""
        if os.path.islink(path):
            return None
        try:
            with foreign_file.open_regular(path) as file:
                private_directory.check_private(self._directory, os.lstat(self._directory))
                private_directory.check_private(path, os.fstat(file.fileno()))
                return _record(json.loads(foreign_file.rest(file, SIZE_LIMIT)))
        except (ValueError, KeyError, TypeError, OSError, RecursionError):
            return None


def _record(found: object) -> Record:
    if not isinstance(found, dict):
        raise ValueError("no record")
    values = found.get("values", [])
    pairs = tuple((str(name), str(value)) for name, value in values) if isinstance(values, list) else ()
    return Record(str(found["config"]), str(found["profile"]), str(found["digest"]), float(str(found["date"])), pairs)


def current_request(config: Config, programs: Sequence[str]) -> TrustRequest:
    """What the config asks for, with the current digests of `programs`, the files that its driver runs on this
    machine."""
    return requested(config, [(path, _content(path)) for path in programs])


def _content(path: str) -> str:
    """The digest of a file's content."""
    try:
        return f"sha256:{sha256_hex(foreign_file.read(path, SIZE_LIMIT))}"
    except OSError as error:
        raise SetupError(f"cannot read `{path}`", reason(error)) from None


def is_bypassed(environment: Mapping[str, str]) -> bool:
    """Whether the environment allows everything."""
    return environment.get(BYPASS) == "1"


def status(request: TrustRequest, environment: Mapping[str, str]) -> TrustStatus:
    """Whether the user of that environment has allowed the request. Raises SetupError."""
    if not request.all:
        return TrustStatus.FREE
    if is_bypassed(environment) and not request.exposed:
        return TrustStatus.BYPASSED
    store = Store(environment)
    if store.equal(request):
        return TrustStatus.ALLOWED
    if request.exposed:
        return TrustStatus.EXPOSED
    return TrustStatus.CHANGED if store.find(request.config, request.profile) else TrustStatus.UNKNOWN


def refusal(request: TrustRequest, why: TrustStatus) -> RdoError:
    """The error for a command whose configuration is not allowed."""
    if why is TrustStatus.EXPOSED:
        return request.exposed[0].error
    what = f"profile `{request.profile}` of `{request.config}` is not allowed yet"
    return RdoError(what, "it has changed" if why is TrustStatus.CHANGED else "", f"type `{request.command}`")
