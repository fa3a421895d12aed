"""What tells an item of a run from the others? What its row and the axes set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lib_extension.plan.graph import BLOB, Item
from lib_extension.runs.records import Run

_NOTHING = object()


def labels_of(run: Run, items: Sequence[Item]) -> dict[str, Any]:
    """By name, what is the same for all items that a picture belongs to: a sheet of three products is of none of them."""
    first, *others = [_labels(run, item) for item in items] or [{}]
    return {name: value for name, value in first.items() if all(other.get(name, _NOTHING) == value for other in others)}


def _labels(run: Run, item: Item) -> dict[str, Any]:
    names = {*run.recipe.get("axes", ()), *(name for row in run.recipe.get("rows", ())[:1000] for name in row)}
    told = {name: value for name, value in {**item.values, **item.paths}.items() if name in names}
    return {name: value[len(BLOB) :] if isinstance(value, str) and value.startswith(BLOB) else value for name, value in told.items()}
