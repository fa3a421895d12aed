"""Which choices does a run wait for, and what does a person's choice mean? Pictures are counted from 1, as their files are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib_extension.plan.graph import Node, is_review
from lib_extension.runs.planning import Planned
from lib_extension.runs.runner import Runner
from lib_extension.session.item_labels import labels_of
from lib_extension.spec.errors import BadRequest, NotFound


@dataclass(frozen=True)
class Candidate:
    """A picture that can be chosen."""

    blob: str
    seed: int | None
    facts: Mapping[str, Any]  # its scores among them


@dataclass(frozen=True)
class Review:
    """A choice that somebody has to make."""

    key: str
    stage: str
    items: tuple[int, ...]  # counted from 0
    keep: int  # how many are to be chosen; 0: as many as one likes
    candidates: tuple[Candidate, ...]
    labels: Mapping[str, Any] = field(default_factory=dict)  # what tells its items from the others


def open_reviews(runner: Runner, run_id: str) -> list[Review]:
    """Those whose pictures are there, in the order of the stages and items."""
    planned = runner.plan(run_id)
    return _reviews(runner, run_id, planned, planned.undecided)


def decided_reviews(runner: Runner, run_id: str) -> list[Review]:
    """Those that a person decided, in this run or an earlier one, and may decide otherwise."""
    planned = runner.plan(run_id)
    waiting = {node.key for node in planned.plan.pending}
    by_hand = [node for node in planned.plan.nodes if is_review(node.type) and not node.stage.top and node.key not in waiting]
    return _reviews(runner, run_id, planned, by_hand)


def _reviews(runner: Runner, run_id: str, planned: Planned, nodes: Sequence[Node]) -> list[Review]:
    run = runner.ledger.runs.get(run_id)
    found = []
    for node in nodes:
        result = runner.ledger.results.get(node.key)
        if result is not None:
            candidates = tuple(Candidate(picture.blob, picture.seed, picture.facts) for picture in result.pictures)
            labels = labels_of(run, [planned.plan.items[item] for item in node.items])
            found.append(Review(node.key, node.id, node.items, node.stage.keep, candidates, labels))
    return found


def find_review(reviews: Sequence[Review], stage: str, item: int | None) -> Review:
    """The one of the stage, and of the item (counted from 1) where it has several. BadRequest names what there is."""
    of_stage = [review for review in reviews if review.stage == stage]
    if not of_stage:
        known = ", ".join(dict.fromkeys(review.stage for review in reviews)) or "none"
        raise NotFound(f'No choice is waited for in "{stage}"; these stages wait for one: {known}.')
    fits = [review for review in of_stage if item is None or item - 1 in review.items]
    if len(fits) == 1:
        return fits[0]
    items = ", ".join(str(review.items[0] + 1) for review in of_stage)
    raise BadRequest(f'"{stage}" waits for a choice for each of several items; say for which: {items}.')


def places_of(review: Review, chosen: Sequence[object]) -> list[int]:
    """Where the chosen ones stand, counted from 0: each is a number from 1, or (the beginning of) a picture's hash."""
    return [_place_of(review, one) for one in chosen]


def _place_of(review: Review, one: object) -> int:
    text = str(one) if isinstance(one, int) and not isinstance(one, bool) else one
    if not isinstance(text, str):
        raise BadRequest(f"{one!r:.60} is no picture; use its number from 1, or its hash.")
    if text.isascii() and text.isdigit() and len(text) < 6:
        if not 1 <= int(text) <= len(review.candidates):
            raise BadRequest(f'"{review.stage}" has {len(review.candidates)} pictures, 1 to {len(review.candidates)}; {text} was chosen.')
        return int(text) - 1
    fits = [place for place, candidate in enumerate(review.candidates) if len(text) >= 6 and candidate.blob.startswith(text.lower())]
    if len(fits) != 1:
        raise BadRequest(f'"{text[:60]}" is {"several pictures" if fits else "no picture"} of "{review.stage}"; use a number from 1.')
    return fits[0]
