"""Which picture of a named stage belongs to the one at hand? The one made from it, or of the same lineage; else the only one there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from lib_extension.plan.graph import Source
from lib_extension.spec.errors import BadRequest

Trail = dict[str, Source]  # stage → the picture of it that a picture came from, or is


@dataclass(frozen=True)
class Slot:
    """The place of one picture among those that a stage gives of an item; places stay where nothing is found."""

    stage: str  # which made it
    position: int  # among that stage's pictures of the item
    source: Source | None  # None: nothing was found
    trail: Trail


@dataclass(frozen=True, eq=False)
class Given:
    """What a stage or an input gives of one item."""

    slots: tuple[Slot, ...] = ()
    waits: frozenset[str] = frozenset()  # undecided reviews that must come before
    absent: str = ""  # why there is nothing to take at all, '' where there is

    @property
    def live(self) -> list[Slot]:
        """The slots that hold a picture."""
        return [slot for slot in self.slots if slot.source]

    @cached_property
    def _by_ancestor(self) -> Mapping[tuple[str, Source], Sequence[Slot]]:
        found: dict[tuple[str, Source], list[Slot]] = {}
        for slot in self.slots:
            for step in slot.trail.items():
                found.setdefault(step, []).append(slot)
        return found

    @cached_property
    def _ancestors(self) -> frozenset[str]:
        """The stages that all slots came from."""
        return frozenset.intersection(*(frozenset(slot.trail) for slot in self.slots))

    def related(self, trail: Trail) -> Iterator[Slot]:
        """The slots whose lineage agrees with `trail` in every stage that both have."""
        candidates: Sequence[Slot] = self.slots
        if len(candidates) > 8:  # where there are thousands, not each is looked at for each
            shared = next((stage for stage in reversed(trail) if stage in self._ancestors), None)
            candidates = self._by_ancestor.get((shared, trail[shared]), ()) if shared else candidates
        return (slot for slot in candidates if all(slot.trail.get(stage, source) == source for stage, source in trail.items()))


def find(given: Given, trail: Trail, user: str, name: str) -> Source | None:
    """The picture of `name`, which gives `given`, that goes with `trail`; None where nothing was found for it.

    BadRequest names both stages where several go with it.
    """
    related = list(given.related(trail))
    # Of the masks of a picture and of what was made from it, the picture's own; where it has none, not another's.
    related = [slot for slot in related if slot.trail.keys() - {slot.stage} == trail.keys()] or related
    fits = {slot.source for slot in related if slot.source}
    if not fits and not related:
        fits = {slot.source for slot in given.slots if slot.source}
    if len(fits) > 1:
        raise BadRequest(
            f'Stage "{user}" names "{name}", which has {len(fits)} pictures for one of "{user}". '
            f'Let "{user}" take from "{name}", or let a review choose one of them.'
        )
    return next(iter(fits), None)


def common_trail(slots: Sequence[Slot]) -> dict[str, Source]:
    """Where all of them came from."""
    if not slots:
        return {}
    first, *others = slots
    return {stage: source for stage, source in first.trail.items() if all(slot.trail.get(stage) == source for slot in others)}
