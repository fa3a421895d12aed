"""How does a recipe come from a file? From YAML or JSON with rows and pictures in its folder, or from a zip that holds all of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extension.plan.folders import Files, Folder
from lib_extension.plan.graph import BLOB
from lib_extension.plan.plain_data import MOST_JSON, read_json, read_yaml
from lib_extension.plan.recipe_zip import MOST_ZIP, Zip, recipe_in
from lib_extension.plan.rows_file import MOST_BYTES, read_rows
from lib_extension.spec.errors import BadFile, NotFound, TooLarge
from lib_extension.spec.recipe import PICTURES, Recipe
from lib_extension.stages import as_written, load_recipe

MOST_PICTURE = 100_000_000  # bytes of one picture's file


@dataclass(frozen=True, eq=False)
class RecipeFile:
    """A recipe with its rows, and the place that its pictures are read from."""

    recipe: Recipe
    files: Files
    written: Recipe | None = None  # where it is something else than `recipe`

    @property
    def as_written(self) -> Recipe:
        """The recipe with its shared settings where they were written, and not in the stages."""
        return self.written or self.recipe

    def read_picture(self, name: str) -> bytes:
        """The file of a picture that the recipe names."""
        return self.files.read(name, MOST_PICTURE)


def load_recipe_file(file: Path) -> RecipeFile:
    """The recipe in a .yaml, .yml, .json or .zip file. Raises AtelierError, whose message names the file without its folder."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_ZIP + 1)
    except OSError as error:
        raise NotFound(f"The recipe {file.name} cannot be read: {error.strerror or 'it is no file'}.") from error
    return read_recipe_file(data, file.name, Folder(file.parent))


def read_recipe_file(data: bytes, name: str, files: Files) -> RecipeFile:
    """As load_recipe_file, of a file's content; `files` is where a recipe that is not a zip has its pictures and rows."""
    what = f"The recipe {name}"
    if len(data) > MOST_ZIP:
        raise TooLarge(f"{what} has more than {MOST_ZIP:,} bytes, which is the most.")
    if name.lower().endswith(".zip"):
        files = Zip(data, what)
        name, data = recipe_in(files, MOST_JSON)
    value = _value(data, name, what)
    return RecipeFile(_with_rows(load_recipe(value, what), files), files, _with_rows(as_written(value), files))


def read_recipe(data: bytes, name: str, what: str = "") -> Recipe:
    """The recipe in the content of a YAML or JSON file, without the rows of its rows_file."""
    what = what or f"The recipe {name}"
    return load_recipe(_value(data, name, what), what)


def _value(data: bytes, name: str, what: str) -> dict[str, Any]:
    suffix = name.lower().rpartition(".")[2]
    if suffix not in ("yaml", "yml", "json"):
        raise BadFile(f"{what} is no .yaml, .json or .zip file.")
    value = read_json(data, what) if suffix == "json" else read_yaml(data, what)
    if not isinstance(value, dict):
        raise BadFile(f"{what} holds no object with a name and stages.")
    return value


def picture_names(recipe: Recipe, values: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """The files of all pictures that the inputs' values, the rows and the axes name, each once."""
    given = values or {}
    pictures = [name for name, declared in recipe.inputs.items() if declared.type in PICTURES]

    def named() -> Iterator[Any]:
        for name in pictures:
            yield given.get(name) or recipe.inputs[name].default
            yield from (row.get(name) for row in recipe.rows)
            yield from recipe.axes.get(name, ())

    return tuple(dict.fromkeys(name for name in named() if isinstance(name, str) and name and not name.startswith(BLOB)))


def _with_rows(recipe: Recipe, files: Files) -> Recipe:
    """The recipe with the rows of its rows_file among its own."""
    if not recipe.rows_file:
        return recipe
    rows = read_rows(files.read(recipe.rows_file, MOST_BYTES), recipe.rows_file)
    if not rows:
        raise BadFile(f'The rows file "{recipe.rows_file}" has no rows under its names.')
    whole = dataclasses.replace(recipe, rows=(*recipe.rows, *rows), rows_file="")
    whole.check()
    return whole
