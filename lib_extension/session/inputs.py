"""How do a recipe's inputs come from a command line? As name=value, with files for pictures, and rows from a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extension.pictures.png import open_picture
from lib_extension.plan import RecipeFile
from lib_extension.plan.folders import Folder
from lib_extension.plan.recipe_files import MOST_PICTURE, picture_names
from lib_extension.plan.rows_file import MOST_BYTES, read_cell, read_rows
from lib_extension.session.asked import Asked
from lib_extension.spec.errors import BadRequest, NotFound, TooLarge, near_miss
from lib_extension.spec.recipe import PICTURES, Recipe


@dataclass(frozen=True)
class Words:
    """What somebody typed."""

    set: Sequence[str] = ()  # "name=value"
    axes: Sequence[str] = ()  # "name=value", as often as the axis has values
    rows: Path | None = None  # CSV or JSON; pictures in it lie in its folder
    confirmed: bool = False


def asked_of(file: RecipeFile, words: Words) -> Asked:
    """The run that the words ask of a recipe in a file. BadRequest names the input."""
    recipe = file.recipe
    values, pictures = read_words(recipe, words.set)
    axes, of_axes = read_axes(recipe, words.axes)
    recipe = dataclasses.replace(recipe, axes={name: values for name, values in recipe.axes.items() if name not in axes})
    given = [name for name in picture_names(recipe, values) if name not in pictures]
    rows = None if words.rows is None else read_rows(read_user_file(words.rows, MOST_BYTES), words.rows.name)
    if rows is not None and words.rows is not None:
        folder = Folder(words.rows.parent)
        pictures |= {name: folder.read(name, MOST_PICTURE) for name in _pictures_in(recipe, rows)}
        given = [name for name in given if name not in pictures and _is_still_named(recipe, name)]
    pictures |= {name: file.read_picture(name) for name in given} | of_axes
    return Asked(recipe=file.recipe, values=values, pictures=pictures, rows=rows, axes=axes, confirmed=words.confirmed)


def with_words(asked: Asked, words: Words) -> Asked:
    """A run that is repeated, with what the words change of it. BadRequest where its rows would be replaced."""
    if words.rows is not None or words.axes:
        raise BadRequest("A picture brings its rows and axes with it; --rows and --axis go with a recipe's name or file.")
    values, pictures = read_words(asked.recipe, words.set)
    return dataclasses.replace(asked, values={**asked.values, **values}, pictures={**asked.pictures, **pictures}, confirmed=words.confirmed)


def read_words(recipe: Recipe, words: Sequence[str]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The values, and the files of picture inputs by the inputs' names."""
    values: dict[str, Any] = {}
    pictures: dict[str, bytes] = {}
    for name, value in map(_pair, words):
        declared = recipe.inputs.get(name)
        if declared is None:
            raise BadRequest(f'The recipe "{recipe.name}" has no input "{name}".{near_miss(name, recipe.inputs)}')
        if declared.type in PICTURES:
            pictures[name] = _read_picture(value, name)
        else:
            values[name] = value
    return values, pictures


def read_axes(recipe: Recipe, words: Sequence[str]) -> tuple[dict[str, list[Any]], dict[str, bytes]]:
    """The values of each axis, and the files of pictures among them, by the names that the values have then."""
    axes: dict[str, list[Any]] = {}
    pictures: dict[str, bytes] = {}
    for name, value in map(_pair, words):
        values = axes.setdefault(name, [])
        if name in recipe.inputs and recipe.inputs[name].type in PICTURES:
            values.append(f"{name}[{len(values)}]")
            pictures[values[-1]] = _read_picture(value, name)
        else:
            values.append(read_cell(name, value))
    return axes, pictures


def _pair(word: str) -> tuple[str, str]:
    name, separator, value = word.partition("=")
    if not separator:
        raise BadRequest(f'"{word}" sets nothing; write name=value.')
    return name, value


def _read_picture(file: str, name: str) -> bytes:
    data = read_user_file(Path(file).expanduser(), MOST_PICTURE)
    open_picture(data, what=f'The picture for "{name}"')
    return data


def read_user_file(file: Path, most: int) -> bytes:
    """A file that the user named, wherever it is. NotFound, TooLarge."""
    try:
        with file.open("rb") as opened:
            data = opened.read(most + 1)
    except OSError as error:
        raise NotFound(f"The file {file.name} cannot be read: {error.strerror or 'it is no file'}.") from error
    if len(data) > most:
        raise TooLarge(f"The file {file.name} has more than {most:,} bytes, which is the most.")
    return data


def _pictures_in(recipe: Recipe, rows: Sequence[dict[str, Any]]) -> list[str]:
    names = [name for name, declared in recipe.inputs.items() if declared.type in PICTURES]
    return list(dict.fromkeys(value for row in rows for name in names if isinstance(value := row.get(name), str) and value))


def _is_still_named(recipe: Recipe, picture: str) -> bool:
    """Whether a picture of the recipe is named elsewhere than in its rows, which are replaced."""
    names = [name for name, declared in recipe.inputs.items() if declared.type in PICTURES]
    return any(recipe.inputs[name].default == picture or picture in recipe.axes.get(name, ()) for name in names)
