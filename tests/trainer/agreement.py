"""How far do captions say what was drawn?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.demo_model.objects import COLOURS
from tests.demo_model.places import PLACES
from tests.demo_model.scenes import TAGGED_OBJECTS, Subject


def agreement(pairs: Iterable[tuple[Subject, Sequence[str]]]) -> float:
    """The share of colours, objects and places that the pictures' tags name right, without another one beside it."""
    right = [
        set(tags) & set(others) == {word}
        for subject, tags in pairs
        for word, others in ((subject.colour, COLOURS), (subject.object, TAGGED_OBJECTS), (subject.place, PLACES))
    ]
    return sum(right) / len(right)
