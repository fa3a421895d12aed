"""A choice among pictures: scored, then made by a person or by the scores; what is chosen goes on as it is."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lib_extension.scores.score_type import ScoreGiven
from lib_extension.scores.source import Scored, ScoreSource, make_scores, needs_network, references
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import field
from lib_extension.stages.stage import Given, Outcome, Picture, Stage, StageType, Work

BY_HAND = "by hand"

_AUTO = re.compile(r"top ([1-9][0-9]{0,3})")


@dataclass(frozen=True, kw_only=True)
class ReviewStage(Stage):
    """Shows all pictures that it takes with their scores, and waits for a choice; `auto` makes it."""

    type: Literal["review"] = field(label="Type")
    scope: Literal["item", "run"] = field("item", label="One choice for", help="Each item, or the whole run.", advanced=True)
    keep: int = field(0, label="Keep", minimum=0, maximum=10000, help="How many are to be chosen; 0: one or more, as one likes.")
    auto: str = field(
        "", label="Choose by score", help='"top 1", "top 2", …: the best are chosen without asking. Empty or "by hand": a person chooses.'
    )
    scores: tuple[ScoreSource, ...] = field((), label="Scores")

    def check(self) -> None:
        """Refuse a choice by scores without scores, and two numbers of pictures."""
        if self.auto in ("", BY_HAND):
            return
        if not _AUTO.fullmatch(self.auto):
            raise BadRequest(f'auto is "{self.auto}"; it must be "top" and a number, such as "top 1"; "{BY_HAND}"; or empty.')
        if not self.scores:
            raise BadRequest(f'auto is "{self.auto}", but there are no "scores" to choose by, such as {{"kind": "sharpness"}}.')
        if self.keep not in (0, self.top):
            raise BadRequest(f'auto is "{self.auto}", but keep is {self.keep}; leave keep out.')

    @property
    def top(self) -> int:
        """How many the scores choose; 0: a person chooses."""
        found = _AUTO.fullmatch(self.auto)
        return int(found[1]) if found else 0


def work(given: Given) -> Work:
    """The pictures taken, as they are and in their order. Their facts: `scores`, and `overall`, by which the best is chosen.

    And `networks`, by scores: which one judged, where it may be one or another.
    """
    stage: ReviewStage = given.stage
    scored = yield from make_scores(stage.scores, ScoreGiven(given.taken, given.others))
    facts = [_facts(one) if stage.scores else {} for one in scored]
    return Outcome(tuple(dataclasses.replace(p, facts={**p.facts, **f}) for p, f in zip(given.taken, facts, strict=True)))


def _facts(scored: Scored) -> dict[str, Any]:
    networks = {"networks": dict(scored.networks)} if scored.networks else {}
    return {"scores": scored.values, "overall": scored.overall, **networks}


def automatic_choice(stage: ReviewStage, pictures: Sequence[Picture]) -> tuple[int, ...] | None:
    """The places of the best among a review's pictures, in their order there; None where a person chooses. Ties go to the first."""
    if not stage.top:
        return None
    best = sorted(range(len(pictures)), key=lambda place: (-pictures[place].facts["overall"], place))[: stage.top]
    return tuple(sorted(best))


def check_choice(stage: ReviewStage, count: int, chosen: Sequence[int]) -> tuple[int, ...]:
    """A choice in order, each place once. BadRequest where one of `count` pictures is meant that is not there, or too many or few are."""
    places = sorted(set(chosen))
    if wrong := [place for place in places if not 0 <= place < count]:
        raise BadRequest(f'"{stage.id}" has {count} pictures, 0 to {count - 1}; {wrong[0]} was chosen.')
    wanted = min(stage.keep, count)
    if wanted and len(places) != wanted:
        raise BadRequest(f'"{stage.id}" asks for {wanted} pictures; {len(places)} were chosen.')
    if not places:
        raise BadRequest(f'Nothing was chosen in "{stage.id}". Choose at least one picture, or cancel the run.')
    return tuple(places)


TYPE = StageType(
    "review",
    ReviewStage,
    work,
    takes="all",
    count=lambda stage, taken: taken,
    references=lambda stage: tuple(dict.fromkeys(name for score in stage.scores for name in references(score))),
    local=lambda stage: not any(needs_network(score) for score in stage.scores),
)
