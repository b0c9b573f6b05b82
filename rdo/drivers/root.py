"""A directory that both sides see, as used by drivers and the mapping of paths. Pure."""

from typing import NamedTuple


class Root(NamedTuple):
    """A directory that both sides see: absolute paths, without a trailing slash (except for `/` itself)."""

    local: str
    remote: str
    note: str = ""
    """A remark for `rdoctl explain`, such as that a synced folder is one-way."""
    shared: bool = True
    """Whether both sides see the same files there. If not, it is a part of another root that something else hides."""

    def below(self, home: str) -> "Root":
        """The same root, with the login directory `home` in place of a `~` at the start of its remote path."""
        if self.remote == "~":
            return self._replace(remote=home)
        return self._replace(remote=home.rstrip("/") + self.remote[1:]) if self.remote.startswith("~/") else self
