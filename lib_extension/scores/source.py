"""How are pictures scored? By one or several of the scores, and by what they come to together."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from lib_extension.scores import consistency, duplicates, edges, exposure, sharpness, tags
from lib_extension.scores.consistency import ConsistencyScore
from lib_extension.scores.duplicates import DuplicatesScore
from lib_extension.scores.edges import EdgesScore
from lib_extension.scores.exposure import ExposureScore
from lib_extension.scores.score_type import ScoreGiven, ScoreType, local
from lib_extension.scores.sharpness import SharpnessScore
from lib_extension.scores.tags import TagsScore
from lib_extension.spec.calls import Call
from lib_extension.spec.settings import read_value, value_schema

if TYPE_CHECKING:
    from lib_extension.stages.stage import Answer

SCORES: dict[str, ScoreType] = {
    score.name: score
    for score in (
        ScoreType("sharpness", SharpnessScore, local(sharpness.measure)),
        ScoreType("exposure", ExposureScore, local(exposure.measure)),
        ScoreType("edges", EdgesScore, local(edges.measure)),
        ScoreType("duplicates", DuplicatesScore, local(duplicates.measure), higher_is_better=False),
        ScoreType("tags", TagsScore, tags.measure, needs_network=True),
        ScoreType("consistency", ConsistencyScore, consistency.measure, needs_network=True),
    )
}

ScoreSource = SharpnessScore | ExposureScore | EdgesScore | DuplicatesScore | TagsScore | ConsistencyScore


@dataclass(frozen=True)
class Scored:
    """What one picture of a review came to."""

    values: dict[str, float]  # 0 to 1 by the score's kind; a second one of a kind is "edges 2"
    overall: float  # the mean by weight, 0 to 1, higher is better: a score of which less is better counts as 1 - value
    networks: Mapping[str, str] = field(default_factory=dict)  # by the same names: whose judgement it is, where several could judge


def read_score(data: object, where: str = "") -> ScoreSource:
    """A score from parsed JSON. Every error is a BadRequest that names the field by its path, starting with `where`."""
    return read_value(ScoreSource, data, where or "score")


def score_schema(defs: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of what read_score takes; the kinds go to `defs`, the whole schema's "$defs"."""
    return value_schema(ScoreSource, defs)


def make_scores(scores: Sequence[ScoreSource], given: ScoreGiven) -> Generator[Call, Answer, list[Scored]]:
    """The work of scoring every picture by every score: yields calls, takes answers. Without scores, all come to 0."""
    values: list[dict[str, float]] = [{} for _ in given.pictures]
    totals = [0.0] * len(given.pictures)
    names: list[str] = []
    networks: dict[str, str] = {}
    for score in scores:
        kind = SCORES[score.kind]
        measured = yield from kind.work(score, given)
        name = next(name for n in count(1) if (name := kind.name if n == 1 else f"{kind.name} {n}") not in names)
        names.append(name)
        if measured.by:
            networks[name] = measured.by
        for place, value in enumerate(measured.values):
            values[place][name] = value
            totals[place] += score.weight * (value if kind.higher_is_better else 1 - value)
    weight = sum(score.weight for score in scores) or 1.0
    return [Scored(of_one, total / weight, networks) for of_one, total in zip(values, totals, strict=True)]


def references(score: ScoreSource) -> tuple[str, ...]:
    """The stages and inputs whose pictures it compares with."""
    if isinstance(score, EdgesScore):
        return (score.of,)
    return (score.reference,) if isinstance(score, ConsistencyScore) and score.reference else ()


def needs_network(score: ScoreSource) -> bool:
    """Whether it asks for what only the worker can answer."""
    return SCORES[score.kind].needs_network
