"""Answers what `rdoctl` asks a control master: the report about each target, and further queries.

A query has a verb, and a JSON document in both directions. A verb is one function and its entry in VERBS; PROTOCOL.md
lists them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from rdo.errors import RdoError
from rdo.ipc.protocol import ProtocolError
from rdo.master import port_forwards
from rdo.master.port_forwards import PortForwards
from rdo.pool.target_pool import TargetPool
from rdo.pool.target_table import TargetTable
from rdo.sync.sync_table import SyncTable


class MasterTargets(NamedTuple):
    """The parts of a master that the answers need."""

    targets: TargetTable
    forwards: PortForwards

    def pool(self, number: int) -> TargetPool:
        """The target of that number, as in the report. Raises RdoError."""
        for pool in self.targets.pools:
            if pool.number == number:
                return pool
        raise RdoError("the connection to the target was closed just now", "", "see `rdoctl status`")


Question = Mapping[str, Any]
Answer = Mapping[str, object]


def target_report(pool: TargetPool, syncs: SyncTable, forwards: PortForwards, *, ending: bool) -> dict[str, object]:
    """A target in the answer to an empty QUERY, as specified in PROTOCOL.md. Times are in seconds."""
    return {
        "number": pool.number,
        "name": pool.target.name,
        "driver": pool.target.driver,
        "details": dict(pool.target.details),
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


def answer(master: MasterTargets, payload: bytes) -> bytes:
    """The answer to a QUERY that is not empty. Raises RdoError."""
    verb, _, document = payload.partition(b"\0")
    act = VERBS.get(verb.decode("ascii", "replace"))
    if act is None:
        raise ProtocolError("a question with an unknown verb", repr(verb))
    try:
        return json.dumps(act(master, json.loads(document))).encode()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProtocolError("a question that is malformed", repr(error)) from error


def _forward(master: MasterTargets, question: Question) -> Answer:
    """Add or end forwards of a target."""
    pool = master.pool(question["target"])
    added = [port_forwards.parse(word) for word in question.get("add", ())]
    removed = [port_forwards.parse(word) for word in question.get("remove", ())]
    return {"lines": [*master.forwards.add(pool, added), *master.forwards.remove(pool, removed)]}


VERBS: Mapping[str, Callable[[MasterTargets, Question], Answer]] = {"forward": _forward}
