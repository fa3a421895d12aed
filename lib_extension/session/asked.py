"""What is a run asked for? A recipe with the values and pictures of its inputs, before anything is written down."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib_extension.spec.errors import BadRequest, near_miss
from lib_extension.spec.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A run that somebody wants."""

    recipe: Recipe
    values: Mapping[str, Any] = field(default_factory=dict)  # of inputs; of a picture, the name that it has in `pictures`
    pictures: Mapping[str, bytes | str] = field(default_factory=dict)  # file or sha256, by the name that values, rows and recipe use
    rows: tuple[dict[str, Any], ...] | None = None  # in place of the recipe's
    axes: Mapping[str, list[Any]] = field(default_factory=dict)  # each in place of the recipe's axis of that name, or besides its axes
    choices: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # key of a review → what went on, of a run that is repeated
    confirmed: bool = False  # it may be larger than is likely meant

    @property
    def whole(self) -> Recipe:
        """The recipe with the rows and axes that it is to have. BadRequest for one that sets what is not there."""
        if self.rows is None and not self.axes:
            return self.recipe
        known = {*self.recipe.axes, *self.recipe.inputs, *(name for row in self.recipe.rows for name in row)}
        for name in self.axes:
            if "." not in name and name not in known:
                raise BadRequest(f'The recipe "{self.recipe.name}" has no axis "{name}".{near_miss(name, known)}')
        rows = self.recipe.rows if self.rows is None else self.rows
        recipe = dataclasses.replace(self.recipe, rows=rows, axes={**self.recipe.axes, **self.axes})
        recipe.check()
        return recipe
