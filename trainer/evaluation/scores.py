"""Which of a run's saves is best? Each has up to four figures; they are made comparable and averaged."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SaveScores:
    """What was measured of one save; None where it could not be. All but the loss are from 0 to 1, more is better.

    ``agreement``: of pictures with the prompts that they were drawn from; by a tagger the share of the tags that it finds.
    ``likeness``: of drawn to training pictures.
    ``kept``: likeness of pictures of other things to the base's own, from the same seeds: 1 is nothing forgotten.
    """

    file: str
    step: int
    validation_loss: float | None = None
    agreement: float | None = None
    likeness: float | None = None
    kept: float | None = None


_FIGURES: tuple[Callable[[SaveScores], float | None], ...] = (
    lambda save: None if save.validation_loss is None else -math.log(max(save.validation_loss, 1e-9)),  # so that differences are shares
    lambda save: save.agreement,
    lambda save: save.likeness,
    lambda save: save.kept,
)
_LEAST = 0.02  # what is nearer to one another than this is not told apart by the whole scale


def totals(saves: Sequence[SaveScores]) -> list[float]:
    """For each save the mean of its figures, each placed between the worst save's (0) and the best one's (1).

    Where these two hardly differ, the best one's place is as much lower: chance alone must not weigh as much as what was learnt. A figure
    that a save lacks, or in which all are equal, tells none from another and is left out.
    """
    placed: list[list[float]] = []
    for figure in _FIGURES:
        values = [figure(save) for save in saves]
        known = [value for value in values if value is not None]
        if len(known) == len(saves) and known and max(known) > min(known):
            lowest, span = min(known), max(max(known) - min(known), _LEAST)
            placed.append([(value - lowest) / span for value in known])
    return [float(np.mean(column)) for column in zip(*placed, strict=True)] if placed else [0.0] * len(saves)


def best(saves: Sequence[SaveScores]) -> SaveScores | None:
    """The save with the highest total; of equal ones the earliest, which has forgotten least. None where there is none."""
    if not saves:
        return None
    ordered = sorted(saves, key=lambda save: save.step)
    return ordered[int(np.argmax(totals(ordered)))]


def agreement(wanted: Sequence[Sequence[str]], found: Sequence[dict[str, float]], threshold: float = 0.35) -> float | None:
    """The mean over pictures of the share of wanted tags that are found; tags that the tagger does not know do not count."""
    shares = []
    for tags, scores in zip(wanted, found, strict=True):
        known = [tag for tag in tags if tag in scores]
        if known:
            shares.append(sum(scores[tag] >= threshold for tag in known) / len(known))
    return float(np.mean(shares)) if shares else None


def likeness(drawn: np.ndarray, training: np.ndarray) -> float:
    """The mean cosine of each drawn picture's embedding (N, D) to the nearest of the training pictures' (M, D), 0..1 for what is alike."""
    return float((_unit(drawn) @ _unit(training).T).max(1).mean())


def kept(with_it: np.ndarray, base: np.ndarray) -> float:
    """The mean cosine of pictures' embeddings (N, D) to those of the base's pictures from the same prompts and seeds (N, D)."""
    return float((_unit(with_it) * _unit(base)).sum(1).mean())


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
