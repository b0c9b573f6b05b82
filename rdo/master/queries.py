"""What `rdoctl` asks a control master for, other than its report: by a verb, with a JSON document both ways.

A verb is one function and its entry in VERBS; PROTOCOL.md lists them.
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


class MasterState(NamedTuple):
    """What of a control master the answers are about."""

    targets: TargetTable
    forwards: PortForwards

    def pool(self, number: int) -> TargetPool:
        """The target of that number, as the report has it. Raises RdoError."""
        for pool in self.targets.pools:
            if pool.number == number:
                return pool
        raise RdoError("the connection to the target was closed just now", "", "see `rdoctl status`")


Question = Mapping[str, Any]
Answer = Mapping[str, object]


def answer(state: MasterState, payload: bytes) -> bytes:
    """The answer to a QUERY that is not empty. Raises RdoError."""
    verb, _, document = payload.partition(b"\0")
    act = VERBS.get(verb.decode("ascii", "replace"))
    if act is None:
        raise ProtocolError("a question with an unknown verb", repr(verb))
    try:
        return json.dumps(act(state, json.loads(document))).encode()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProtocolError("a question that is malformed", repr(error)) from error


def _forward(state: MasterState, question: Question) -> Answer:
    """Forward ports of a target, or end forwards."""
    pool = state.pool(question["target"])
    added = [port_forwards.parse(word) for word in question.get("add", ())]
    removed = [port_forwards.parse(word) for word in question.get("remove", ())]
    return {"lines": [*state.forwards.add(pool, added), *state.forwards.remove(pool, removed)]}


VERBS: Mapping[str, Callable[[MasterState, Question], Answer]] = {"forward": _forward}
