"""What does a run say of itself while it goes on? Its state, its plan and its events, in the ledger for whoever follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib_extension.plan.graph import Node
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.planning import Planned
from lib_extension.runs.records import NodeRecord, State


def told_of(node: Node) -> dict[str, Any]:
    """What every event about a stage tells of it."""
    return {"key": node.key, "stage": node.id, "place": node.place}


class Telling:
    """The voice of one run."""

    def __init__(self, ledger: Ledger, run_id: str) -> None:
        self._ledger = ledger
        self._run_id = run_id
        self._asked: set[str] = set()  # reviews that were told of

    def state(self, state: State, message: str = "") -> None:
        """Where it is now."""
        self._ledger.runs.set_state(self._run_id, state, message)
        self._ledger.events.add(self._run_id, "state", state=state, message=message)

    def notice(self, message: str) -> None:
        """Something that the user should know."""
        self._ledger.events.add(self._run_id, "notice", message=message)

    def plan(self, planned: Planned, failed: Mapping[str, str], left_out: Mapping[str, str]) -> None:
        """What it will do, and which choices it waits for."""
        records = []
        for node in planned.plan.nodes:
            state = "failed" if node.key in failed else "left out" if node.key in left_out else "planned"
            message = failed.get(node.key) or left_out.get(node.key, "")
            records.append(NodeRecord(key=node.key, stage=node.id, place=node.place, state=state, message=message))
        self._ledger.runs.set_nodes(self._run_id, records)
        self._ledger.events.add(self._run_id, "planned", stages=len(records), done=len(planned.done))
        for node in planned.undecided:
            if node.key not in self._asked:
                self._asked.add(node.key)
                self._ledger.events.add(self._run_id, "review", **told_of(node), pictures=len(node.taken))

    def failed(self, node: Node, message: str, left_out: list[str], because: str) -> None:
        """A stage failed, and others do not run because of that."""
        self._ledger.runs.mark(self._run_id, [node.key], "failed", message)
        self._ledger.runs.mark(self._run_id, left_out, "left out", because)
        self._ledger.events.add(self._run_id, "failed", **told_of(node), message=message, left_out=len(left_out))

    def retry(self, node: Node, lane: str, error: BaseException, wait: float) -> None:
        """A stage is tried again after `wait` seconds."""
        self._ledger.events.add(self._run_id, "retry", **told_of(node), backend=lane, message=str(error), seconds=round(wait, 1))
