"""How does a run stand, told in a few lines however many stage instances it has? Numbers by stage, and the choices that it waits for."""

from __future__ import annotations

from lib_extension.backend.latest import Latest
from lib_extension.runs.overview import Counts, Overview, Undecided
from lib_extension.runs.records import Run
from lib_extension.runs.runner import Progress, Runner
from lib_extension.session.item_labels import labels_of
from lib_extension.session.plans import Plans
from lib_extension.session.reviews import Candidate, Review
from lib_extension.session.told import Told, review_told, run_told

_REVIEWS = 24  # that are told in full; the next ones come when these are decided
_FRESH = 0.5  # seconds that a run's progress counts
_PATIENCE = 0.02  # seconds: a WebUI at work may take its time to say how far it is
REVIEW = "review"


class Briefs:
    """Of the runs of one runner."""

    def __init__(self, runner: Runner, plans: Plans) -> None:
        self._runner = runner
        self._plans = plans
        self._overview = Overview(runner.ledger)
        self._progress: Latest[Progress] = Latest(runner.progress, _FRESH, threads=2)

    def close(self) -> None:
        """Ask no more."""
        self._progress.close()

    def of(self, run: Run) -> Told:
        """All that is to be said of a run in short. Its `progress` is null where it is not at work here, or that is not known at once."""
        is_open = run.state in ("waiting", "running", "paused")
        reviews = self._overview.undecided(run, [str(stage["id"]) for stage in run.recipe["stages"] if stage["type"] == REVIEW])
        return {
            "progress": None,
            **run_told(run, self._progress_of(run)),
            "stages": self._stages(run, [one.stage for one in reviews]),
            "reviews": [review_told(self._review(run, one)) for one in reviews[:_REVIEWS]] if is_open else [],
            "reviews_waiting": len(reviews) if is_open else 0,
        }

    def _progress_of(self, run: Run) -> Progress | None:
        is_here = run.state == "running" and self._runner.plan_at_work(run.id) is not None
        return self._progress.get(run.id, _PATIENCE) if is_here else None

    def _stages(self, run: Run, waiting: list[str]) -> list[Told]:
        counts = self._overview.stages(run)
        told = []
        for stage in run.recipe["stages"]:
            of_stage = counts.get(str(stage["id"]), Counts())
            numbers = {name: getattr(of_stage, name) for name in ("done", "failed", "running", "left", "left_out", "total")}
            told.append({"stage": stage["id"], "type": stage["type"], **numbers, "waiting": waiting.count(stage["id"])})
        return told

    def _review(self, run: Run, undecided: Undecided) -> Review:
        result = self._runner.ledger.results.get(undecided.key)
        pictures = result.pictures if result is not None else ()
        candidates = tuple(Candidate(picture.blob, picture.seed, picture.facts) for picture in pictures)
        items = self._plans.get(run.id).plan.items
        labels = labels_of(run, items[undecided.first_item : undecided.first_item + 1])
        return Review(undecided.key, undecided.stage, (undecided.first_item,), self._keep(run, undecided), candidates, labels)

    def _keep(self, run: Run, undecided: Undecided) -> int:
        """How many are to be chosen: as the recipe says, or, where a variable stands there, as the plan knows."""
        said = next(stage.get("keep", 0) for stage in run.recipe["stages"] if stage["id"] == undecided.stage)
        if isinstance(said, int):
            return said
        node = self._plans.get(run.id).plan.by_key.get(undecided.key)
        return node.stage.keep if node is not None else 0
