"""What the files of a repository want to be allowed, for one profile: the guarded values that they bring. Pure."""

import hashlib
import json
import shlex
from collections.abc import Iterable
from typing import NamedTuple

from rdo.config import Config
from rdo.errors import printable
from rdo.layers import DEFAULT_ORIGIN
from rdo.settings import DEFAULT_PROFILE, KEYS

VERSION = "1"
"""Of the digest: another one makes all that was allowed unknown."""


class Grant(NamedTuple):
    """`config` is the real path of the `.rdo.conf`. `values` are names with values as JSON; none means all is well."""

    config: str
    profile: str
    values: tuple[tuple[str, str], ...]

    @property
    def digest(self) -> str:
        """Changes with every byte of what is wanted."""
        return hashlib.sha256(json.dumps([VERSION, *self]).encode()).hexdigest()

    @property
    def lines(self) -> list[str]:
        """The values for people, with nothing in them that drives a terminal."""
        return [printable(f"{name} = {value}") for name, value in self.values]

    @property
    def command(self) -> str:
        """What allows it."""
        return "rdoctl allow" + ("" if self.profile == DEFAULT_PROFILE else f" -p {shlex.quote(self.profile)}")


def wanted(config: Config, programs: Iterable[tuple[str, str]]) -> Grant:
    """What the config wants. `programs` are the files that its driver has run on this machine, with their digests.

    What comes from the user's own file is the user's own wish.
    """
    own = (DEFAULT_ORIGIN.file, config.user_file)
    keys = [name for name, key in KEYS.items() if key.guarded and config.origins[name].file not in own]
    values = [(name, json.dumps(getattr(config.settings, name), ensure_ascii=False, default=dict)) for name in keys]
    return Grant(config.path, config.profile, (*values, *programs))
