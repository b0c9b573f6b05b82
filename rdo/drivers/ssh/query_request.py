"""What `ssh -G` is to be asked. Pure."""

from __future__ import annotations

from typing import NamedTuple


class SshQueryRequest(NamedTuple):
    """What rdo's own configuration says about a host; the rest is up to the user's ssh configuration."""

    host: str
    user: str | None = None
    port: int | None = None
    identity: str | None = None
    jump: str | None = None
    ssh_config: str | None = None
