"""What the files of a repository ask to be allowed, for one profile: the values that they set. Pure."""

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
"""Of the digest: with another one, nothing that was allowed before is known."""

WEIGHTIEST = (
    "open_browser", "auto_forward", "forward", "sync_git", "exclude",
    "pass_env", "local_fallback", "use_sudo", "identity", "jump", "port", "include", "pull", "sync",
    "driver", "directory", "machine", "service", "container", "build", "image", "host", "user",
)  # fmt: skip
"""The keys that say most about what is allowed, the weightiest last: next to the question."""

Values = tuple[tuple[str, str], ...]
"""Names with values as JSON."""


class TrustRequest(NamedTuple):
    """`config` is the real path of the `.rdo.conf`. `values`: the least weighty first; none: nothing is to be allowed.

    `runs_here` are the files that the driver has run on this machine, with their digests, and `exposed` the config
    files that others can change.
    """

    config: str
    profile: str
    values: Values
    runs_here: Values = ()
    exposed: tuple[Exposure, ...] = ()

    @property
    def all(self) -> Values:
        """All that is to be allowed, the weightiest last."""
        return (*self.values, *self.runs_here, *((each.file, f"{each.fault} ({each.rights})") for each in self.exposed))

    @property
    def digest(self) -> str:
        """Changes with every byte of what is asked for, and is the same for each profile that asks for the same."""
        return sha256_hex(json.dumps([VERSION, self.config, sorted(self.all)]).encode())

    @property
    def lines(self) -> list[str]:
        """The values for people, whole, with nothing in them that drives a terminal."""
        return [without_middle(one_line(f"{name} = {value}")) for name, value in self.all]

    @property
    def command(self) -> str:
        """What allows it."""
        return "rdoctl allow" + ("" if self.profile == DEFAULT_PROFILE else f" -p {shlex.quote(self.profile)}")


def requested(config: Config, programs: Iterable[tuple[str, str]]) -> TrustRequest:
    """What the config asks for. `programs` are the files that its driver has run on this machine, with their digests.

    What comes from the user's own file needs no consent; of everything else, only harmless keys do not.
    """
    values = sorted(_values(config), key=lambda pair: WEIGHTIEST.index(pair[0]) if pair[0] in WEIGHTIEST else -1)
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
        ):  # of a table only the entries count that are not the user's own
            yield name, json.dumps(value[part] if part and isinstance(value, Mapping) else value, ensure_ascii=False)
