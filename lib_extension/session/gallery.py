"""How are runs and their pictures shown among others? Pages of a history, and pages of a run's pictures with what tells them apart."""

from __future__ import annotations

from lib_extension.pictures.measure import size_of_file
from lib_extension.runs.layout import Layout
from lib_extension.runs.overview import Asked, Overview, Seen, Shown
from lib_extension.runs.planning import Planned
from lib_extension.runs.records import Run
from lib_extension.runs.runner import Runner
from lib_extension.session.brief import REVIEW
from lib_extension.session.item_labels import labels_of
from lib_extension.session.plans import Plans
from lib_extension.session.told import Told, run_told


class Gallery:
    """Of the runs of one runner."""

    def __init__(self, runner: Runner, plans: Plans) -> None:
        self._blobs = runner.blobs
        self._plans = plans
        self._overview = Overview(runner.ledger)

    def runs(self, asked: Asked) -> list[Told]:
        """Runs, the newest first."""
        return [_listed(seen) for seen in self._overview.runs(asked)]

    def pictures(self, run: Run, stage: str, after: int, limit: int) -> list[Told]:
        """Of a stage, or of all ('') but reviews, whose pictures are others'; in the order in which they were made."""
        stages = [stage] if stage else [str(one["id"]) for one in run.recipe["stages"] if one["type"] != REVIEW]
        shown = self._overview.pictures(run, stages, after, limit)
        if not shown:
            return []
        planned = self._plans.get(run.id)
        layout = Layout(run.recipe, planned.plan)
        return [self._shown(one, run, planned, layout) for one in shown]

    def _shown(self, shown: Shown, run: Run, planned: Planned, layout: Layout) -> Told:
        node, items = planned.plan.by_key.get(shown.key), planned.plan.items
        numbers = node.items if node is not None else (shown.first_item,)
        width, height = size_of_file(self._blobs.path(shown.blob))
        return {
            "id": shown.blob,
            "key": shown.key,
            "stage": shown.stage,
            "item": numbers[0] + 1,
            "number": shown.index + 1,
            "seed": shown.seed,
            "width": width,
            "height": height,
            "labels": labels_of(run, [items[number] for number in numbers if number < len(items)]),
            "file": layout.file(node, shown.index) if node is not None else "",
        }


def _listed(seen: Seen) -> Told:
    counts = {name: getattr(seen.counts, name) for name in ("total", "done", "failed", "left_out", "running", "left")}
    about = {"title": str(seen.run.recipe.get("title", "")), "cover": seen.cover or None}
    return run_told(seen.run) | about | {"counts": counts, "seconds": round(seen.counts.seconds, 1)}
