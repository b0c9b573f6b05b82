"""What a control master says of a target, for `rdoctl status` and `rdoctl ports`: as PROTOCOL.md has it."""

from __future__ import annotations

from rdo.master.port_forwards import PortForwards
from rdo.pool.target_pool import TargetPool
from rdo.sync.sync_table import SyncTable


def target(pool: TargetPool, syncs: SyncTable, forwards: PortForwards, *, ending: bool) -> dict[str, object]:
    """One target. Times in seconds."""
    return {
        "number": pool.number,
        "name": pool.target.name,
        "driver": pool.target.driver,
        "profiles": [user._asdict() for user in pool.users],
        "running": [command.words for command in pool.running],
        "connections": pool.shells.connections.living,
        "started": pool.started,
        "idle_timeout": pool.idle_timeout,
        "idle_left": pool.idle_left,
        "ending": ending,
        "syncs": syncs.report(pool),
        "forwards": forwards.report(pool),
    }
