"""What does somebody get to edit? A recipe as it was written, with an id in place of each picture: what is edited needs no folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lib_extension.plan import RecipeFile
from lib_extension.plan.recipe_files import picture_names
from lib_extension.runs.blobs import Blobs
from lib_extension.session.recipes import Listed, Recipes
from lib_extension.spec.errors import AtelierError
from lib_extension.spec.recipe import PICTURES, Input, Recipe
from lib_extension.spec.settings import to_json

_REMEMBERED = 8  # recipes

Told = dict[str, Any]


def with_pictures(recipe: Recipe, identify: Callable[[str], str]) -> Recipe:
    """The recipe with `identify(name)` in place of the name of each picture in its inputs, rows and axes."""
    names = [name for name, declared in recipe.inputs.items() if declared.type in PICTURES]

    def told(value: Any) -> Any:
        return identify(value) if isinstance(value, str) and value else value

    def of_input(name: str, declared: Input) -> Input:
        return dataclasses.replace(declared, default=told(declared.default)) if name in names else declared

    def of_row(row: Mapping[str, Any]) -> dict[str, Any]:
        return {name: told(value) if name in names else value for name, value in row.items()}

    return dataclasses.replace(
        recipe,
        inputs={name: of_input(name, declared) for name, declared in recipe.inputs.items()},
        rows=tuple(of_row(row) for row in recipe.rows),
        axes={name: [told(value) for value in values] if name in names else values for name, values in recipe.axes.items()},
    )


class Editing:
    """Recipes by name, as they are when somebody begins to edit them."""

    def __init__(self, recipes: Recipes, blobs: Blobs) -> None:
        self._recipes = recipes
        self._blobs = blobs
        self._known: dict[tuple[Path, int, int], Told] = {}  # by file, time and size; only ever replaced as a whole

    def of_file(self, file: RecipeFile) -> Told:
        """The recipe's JSON. Its pictures are stored."""
        return to_json(with_pictures(file.as_written, lambda name: self._blobs.put(file.read_picture(name))))

    def cover(self, listed: Listed, file: RecipeFile) -> str:
        """The id of a picture that shows what the recipe does: the one beside a built-in one, else the first that goes in; '' for none."""
        beside = listed.file.with_suffix(".png")
        if listed.built_in and beside.is_file():
            return self._blobs.put(beside.read_bytes())
        names = picture_names(file.recipe)
        return self._blobs.put(file.read_picture(names[0])) if names else ""

    def is_changed(self, base: str, recipe: object, inputs: Mapping[str, Any]) -> bool:
        """Whether what is edited is something else than the recipe `base`; so is what has none."""
        if not base:
            return recipe is not None
        try:
            return bool(inputs) or recipe != self._of_name(base)
        except (AtelierError, OSError):  # it was deleted, or is not readable any more
            return True

    def _of_name(self, name: str) -> Told:
        path = self._recipes.find(name).file
        about = path.stat()
        known = (path, about.st_mtime_ns, about.st_size)
        if known not in self._known:
            kept = list(self._known.items())[1 - _REMEMBERED :]
            self._known = {**dict(kept), known: self.of_file(self._recipes.get(name))}
        return self._known[known]
