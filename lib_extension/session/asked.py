"""What is a run asked for? A recipe with the values and pictures of its inputs, before anything is written down."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib_extension.spec.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A run that somebody wants."""

    recipe: Recipe
    values: Mapping[str, Any] = field(default_factory=dict)  # of inputs; of a picture, the name that it has in `pictures`
    pictures: Mapping[str, bytes | str] = field(default_factory=dict)  # file or sha256, by the name that values, rows and recipe use
    rows: tuple[dict[str, Any], ...] | None = None  # in place of the recipe's
    choices: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # key of a review → what went on, of a run that is repeated
    confirmed: bool = False  # it may be larger than is likely meant

    @property
    def whole(self) -> Recipe:
        """The recipe with the rows that it is to have. BadRequest for a row that sets what is not there."""
        if self.rows is None:
            return self.recipe
        recipe = dataclasses.replace(self.recipe, rows=self.rows)
        recipe.check()
        return recipe
