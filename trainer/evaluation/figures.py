"""What is known of a run when it has ended? From its events, its settings and its captions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from lib_extension.captions.counts import fused_with
from lib_extension.captions.files import Captioned
from trainer.data.captions import plain_caption
from trainer.data.example import Example
from trainer.evaluation.diagnosis import RunFigures
from trainer.guard import SKIPPED
from trainer.plot import read_points
from trainer.report import EVENTS
from trainer.session import Session


def figures_of(session: Session, measured: Mapping[int, float]) -> RunFigures:
    """`measured`: the validation loss of saves, by step; it is the same measure as the events' own."""
    events = session.folder / EVENTS
    points = read_points(events, ("loss", "validation loss")) if events.is_file() else {}
    validation = {round(step): loss for step, loss in points.get("validation loss", {}).items()} | dict(measured)
    trained = [one for one in session.batches.examples if not one.prior]
    return RunFigures(
        losses=tuple(points.get("loss", {}).values()),
        validation=tuple(sorted(validation.items())),
        skipped=_skipped(events),
        pictures=len(trained),
        rank=session.config.network.rank,
        fused=tuple(_fused(trained)),
    )


def _skipped(events: Path) -> int:
    """How many steps had a loss that is no number, as the loop told it."""
    if not events.is_file():
        return 0
    with events.open(encoding="utf-8", errors="replace") as lines:
        return sum(SKIPPED in line for line in lines)


def _fused(examples: list[Example]) -> Iterator[tuple[str, str, float]]:
    """Trigger, tag, share: of every trigger word the tag that stands with it most often."""
    for trigger in dict.fromkeys(one.concept.trigger for one in examples if one.concept.trigger):
        of_it = [one for one in examples if one.concept.trigger == trigger]
        captions = [Captioned(one.file, one.file, plain_caption(one), one.name) for one in of_it]
        yield from ((trigger, tag, share) for tag, share in fused_with(trigger, captions)[:1])
