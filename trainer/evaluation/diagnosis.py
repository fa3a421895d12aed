"""What went wrong in a training, if anything? A few words, each from a stated figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Kind = Literal["learning rate too high", "underfit", "overfit", "fused trigger", "too few pictures"]
RISEN, FALLING, OVER = 1.1, 0.05, 0.03  # of the training loss; of it in the last fifth; of the validation loss over its lowest
_FEWEST = 50  # steps from which a loss, which is noise from step to step, tells anything


@dataclass(frozen=True)
class RunFigures:
    """What is known of a run that has ended."""

    losses: Sequence[float] = ()  # of each step
    validation: Sequence[tuple[int, float]] = ()  # step, loss; in order
    skipped: int = 0  # steps without a finite loss
    pictures: int = 0
    rank: int = 1
    fused: Sequence[tuple[str, str, float]] = ()  # trigger, tag, share of the trigger's captions that have it


@dataclass(frozen=True)
class Finding:
    """``figure`` is what it was concluded from, and stands in ``text``."""

    kind: Kind
    figure: float
    text: str


def diagnosis(run: RunFigures) -> tuple[Finding, ...]:
    """What is to be said; nothing where all is well."""
    return (*_rate(run), *(_overfit(run) or _underfit(run)), *_fused(run), *_few(run))


def _rate(run: RunFigures) -> list[Finding]:
    if run.skipped:
        text = f"{run.skipped} steps had a loss that is no number. The learning rate is too high; try a third of it."
        return [Finding("learning rate too high", run.skipped, text)]
    if len(run.losses) < _FEWEST:
        return []
    first, last = _fifths(run.losses)[0], _fifths(run.losses)[-1]
    if last <= RISEN * first:
        return []
    text = f"The loss rose from {first:.4f} in the first fifth to {last:.4f} in the last. The learning rate is too high; try a third of it."
    return [Finding("learning rate too high", last / first, text)]


def _overfit(run: RunFigures) -> list[Finding]:
    if len(run.validation) < 3:
        return []
    step, lowest = min(run.validation, key=lambda point: point[1])
    over = run.validation[-1][1] / lowest - 1
    if over <= OVER:
        return []
    text = f"The validation loss was lowest at step {step} and is {over:.0%} higher at the end: overfit. Take a save from about there."
    return [Finding("overfit", over, text)]


def _underfit(run: RunFigures) -> list[Finding]:
    """By the validation loss where there are enough points: it always has the same noise and timesteps."""
    if len(run.validation) >= 5:
        values = [loss for _, loss in run.validation]
        before, last = values[-1 - max(1, len(values) // 5)], values[-1]
        what = "validation loss"
    elif len(run.losses) >= _FEWEST:
        *_, before, last = _fifths(run.losses)
        what = "loss"
    else:
        return []
    fell = 1 - last / before
    if fell <= FALLING:
        return []
    text = f"The {what} still fell by {fell:.0%} in the last fifth: underfit. Train longer, or with a higher learning rate."
    return [Finding("underfit", fell, text)]


def _fused(run: RunFigures) -> list[Finding]:
    return [
        Finding(
            "fused trigger",
            share,
            f'"{tag}" stands in {share:.0%} of the captions with "{trigger}", so both mean the same to the LoRA. '
            f"Leave it out of the captions, or show pictures without it.",
        )
        for trigger, tag, share in run.fused
    ]


def _few(run: RunFigures) -> list[Finding]:
    if not 0 < run.pictures < run.rank:
        return []
    fitting = 1 << (run.pictures.bit_length() - 1)  # the largest power of two that is not above
    text = f"{run.pictures} pictures for rank {run.rank}: so few can be learnt by heart. Take a rank of {fitting}."
    return [Finding("too few pictures", run.pictures / run.rank, text)]


def _fifths(losses: Sequence[float]) -> list[float]:
    """The median of each fifth of the run: single steps may be far off."""
    return [float(np.median(part)) for part in np.array_split(np.asarray(losses), 5)]
