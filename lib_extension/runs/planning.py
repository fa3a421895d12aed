"""What is the plan of a run, by all that ledger, blobs and backends know now, and what of it is done?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lib_extension.backend.pool import Pool
from lib_extension.plan.graph import Facts, Node, Plan
from lib_extension.plan.make import make_plan
from lib_extension.runs.blobs import Blobs
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.records import NewRun
from lib_extension.runs.surroundings import Planner, Surroundings
from lib_extension.spec.recipe import Recipe
from lib_extension.spec.settings import from_json
from lib_extension.stages.review import automatic_choice
from lib_extension.stages.stage import Picture


@dataclass(frozen=True)
class Planned:
    """A plan, and the keys of it whose pictures are on the disk."""

    plan: Plan
    done: frozenset[str]

    @property
    def undecided(self) -> list[Node]:
        """The reviews whose pictures and scores are there, and that wait for somebody's choice."""
        return [node for node in self.plan.pending if node.key in self.done]


class Planning:
    """The plans of one run, made as often as facts change; or of one that is only thought of, whose id is ''."""

    def __init__(self, asked: NewRun, run_id: str, ledger: Ledger, blobs: Blobs, pool: Pool) -> None:
        self._asked = asked
        self._run_id = run_id
        self._recipe = from_json(Recipe, asked.recipe)
        self._decided: dict[str, tuple[int, ...]] = {}  # by scores
        self._ledger = ledger
        self._blobs = blobs
        self._surroundings = Surroundings(ledger, pool)
        self._has_asked = False

    @property
    def notices(self) -> list[str]:
        """What the user should know of the backends."""
        return self._surroundings.notices

    def first(self) -> Planned:
        """By what the backends have now. They are asked, and engines started, unless they are what they were and nobody needs them."""
        if self._surroundings.unchanged():
            planned = self.as_last_seen()
            if not _needs_backends(planned):
                return planned
        self._has_asked = True
        return self._settled(self._surroundings.plan)

    def again(self) -> Planned:
        """By what the backends had, and what the ledger knows now; they are asked as soon as one is needed."""
        planned = self._settled(self._surroundings.plan_again)
        if self._has_asked or not _needs_backends(planned):
            return planned
        self._has_asked = True
        return self._settled(self._surroundings.plan)

    def as_last_seen(self) -> Planned:
        """By what backends had when they were last seen, so that none is woken."""
        return self._settled(self._surroundings.as_last_seen)

    def _settled(self, plan_by: Callable[[Planner, Facts], Plan]) -> Planned:
        """Plans until no review is left that its scores decide."""
        while True:
            choices = self._ledger.runs.choices(self._run_id) | self._decided
            facts = Facts(counts=self._ledger.results.unusual_counts(), choices=choices)
            plan = plan_by(self._make, facts)
            done = self._done(plan)
            decided = [self._decide(node) for node in plan.pending if node.key in done]
            if not any(decided):
                return Planned(plan, done)
            plan_by = self._surroundings.plan_again

    def _make(self, facts: Facts) -> Plan:
        return make_plan(self._recipe, self._asked.values, self._asked.pictures, facts, confirm=self._asked.confirmed)

    def _done(self, plan: Plan) -> frozenset[str]:
        """The keys with a result all of whose files are there whole; results that lost one are forgotten, and so are made again."""
        stored = self._ledger.results.blobs(plan.by_key)
        missing = self._blobs.missing({blob: size for blobs in stored.values() for blob, size in blobs.items()})
        lost = {key for key, blobs in stored.items() if not missing.isdisjoint(blobs)} if missing else set()
        if lost:
            self._ledger.results.forget(lost)
        return frozenset(stored.keys() - lost)

    def _decide(self, node: Node) -> bool:
        """Whether the review decides itself, by the scores that its result has; for a run, that is written down."""
        result = self._ledger.results.get(node.key)
        if result is None:
            return False
        scored = [Picture(b"", picture.infotext, picture.seed, picture.facts) for picture in result.pictures]
        chosen = automatic_choice(node.stage, scored)
        if chosen is None:
            return False
        self._decided[node.key] = chosen
        if self._run_id:
            self._ledger.runs.choose(self._run_id, node.key, chosen)
            self._ledger.events.add(self._run_id, "chosen", key=node.key, chosen=list(chosen))
        return True


def _needs_backends(planned: Planned) -> bool:
    """Whether anything that is yet to be made, as far as that is known, is not made here."""
    return any(node.key not in planned.done and not node.type.local(node.stage) for node in planned.plan.nodes)
