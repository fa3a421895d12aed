"""What is the plan of a run, asked for again and again? As it is at work, or as it was made the last time, while nothing has happened."""

from __future__ import annotations

from lib_extension.runs.planning import Planned
from lib_extension.runs.runner import Runner

_KEPT = 2  # plans; one of ten thousand stages takes some megabytes


class Plans:
    """Of the runs of one runner."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._known: dict[str, tuple[int, Planned]] = {}  # run → its latest event then, and the plan; only ever replaced as a whole

    def get(self, run_id: str) -> Planned:
        """The plan of the run. NotFound."""
        at_work = self._runner.plan_at_work(run_id)
        if at_work is not None:
            return at_work
        last = self._runner.ledger.events.last_id(run_id)
        known = self._known.get(run_id)
        if known is not None and known[0] == last:
            return known[1]
        planned = self._runner.plan(run_id)
        others = {name: one for name, one in self._known.items() if name != run_id}
        self._known = {**dict(list(others.items())[1 - _KEPT :]), run_id: (last, planned)}
        return planned
