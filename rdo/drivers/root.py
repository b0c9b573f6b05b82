"""A directory that both sides see, as drivers and the mapping of paths have it. Pure."""

from typing import NamedTuple


class Root(NamedTuple):
    """A directory that both sides see: absolute paths, without a slash at the end (but for `/` itself)."""

    local: str
    remote: str
    note: str = ""
    """What `rdoctl explain` should say about it, such as that a synced folder is one-way."""
    shared: bool = True
    """Whether both sides see the same files there; else it is the part of another root that something else hides."""

    def below(self, home: str) -> "Root":
        """The same with `home`, the login directory, in place of the `~` that its remote path may begin with."""
        if self.remote == "~":
            return self._replace(remote=home)
        return self._replace(remote=home.rstrip("/") + self.remote[1:]) if self.remote.startswith("~/") else self
