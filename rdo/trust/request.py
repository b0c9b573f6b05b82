"""What the files of a repository ask to be allowed for a profile, namely the values that they set. Pure."""

import json
import shlex
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rdo.config.load import Config, Exposure
from rdo.config.merge import DEFAULT_ORIGIN
from rdo.config.schema import DEFAULT_PROFILE, KEYS
from rdo.config.types import VARIABLES
from rdo.errors import one_line, without_middle
from rdo.util.digest import sha256_hex

VERSION = "2"
"""The version of the digest. If it changes, everything has to be allowed again."""

MOST_IMPORTANT = (
    "open_browser", "auto_forward", "forward", "sync_git", "exclude",
    "pass_env", "local_fallback", "use_sudo", "identity", "jump", "port", "include", "pull", "sync",
    "driver", "directory", "machine", "service", "container", "build", "image", "host", "user",
)  # fmt: skip
"""The keys whose values matter most, the most important last, so that they are next to the question."""

Values = tuple[tuple[str, str], ...]
"""Names, each with its value as JSON."""


class TrustRequest(NamedTuple):
    """A request for trust. `config` is the real path of the `.rdo.conf`. `values` are ordered by importance, the most
    important last; if empty, nothing needs to be allowed.

    `runs_here` has the files that the driver runs on this machine, with their digests, and `exposed` the config files
    that other users can change.
    """

    config: str
    profile: str
    values: Values
    runs_here: Values = ()
    exposed: tuple[Exposure, ...] = ()

    @property
    def all(self) -> Values:
        """Everything to be allowed, the most important last."""
        return (*self.values, *self.runs_here, *((each.file, f"{each.fault} ({each.rights})") for each in self.exposed))

    @property
    def digest(self) -> str:
        """Changes with every byte of what is requested, and is the same for all profiles that request the same."""
        return sha256_hex(json.dumps([VERSION, self.config, sorted(self.all)]).encode())

    @property
    def lines(self) -> list[str]:
        """All the values for people to read, with nothing in them that could control a terminal."""
        return [without_middle(one_line(f"{name} = {value}")) for name, value in self.all]

    @property
    def command(self) -> str:
        """The command that allows the request."""
        return "rdoctl allow" + ("" if self.profile == DEFAULT_PROFILE else f" -p {shlex.quote(self.profile)}")


def requested(config: Config, programs: Iterable[tuple[str, str]]) -> TrustRequest:
    """What the config asks for. `programs` are the files that its driver runs on this machine, with their digests.

    Values from the user's own file need no consent. Of all others, only harmless keys need none.
    """
    values = sorted(
        _values(config), key=lambda pair: MOST_IMPORTANT.index(pair[0]) if pair[0] in MOST_IMPORTANT else -1
    )
    return TrustRequest(config.path, config.profile, tuple(values), tuple(programs), config.exposed)


def _values(config: Config) -> Iterable[tuple[str, str]]:
    own = (DEFAULT_ORIGIN.file, config.user_file)
    for name, origin in config.origins.items():
        key, _, part = name.partition(".")
        if origin.file in own or not KEYS[key].guarded:
            continue
        value = getattr(config.settings, key)
        if (
            part or KEYS[key].value_type is not VARIABLES
        ):  # of a table, only the entries that are not from the user's own file
            yield name, json.dumps(value[part] if part and isinstance(value, Mapping) else value, ensure_ascii=False)
