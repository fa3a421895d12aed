"""What may be sent to start a recipe, as OpenAPI tells it, and what was meant by what came? Each named input is a field of the body."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from lib_extension.pictures.png import open_picture, picture_bytes
from lib_extension.session.asked import Asked
from lib_extension.spec.errors import BadRequest, near_miss
from lib_extension.spec.recipe import PICTURES, Input, Recipe

OPTIONS: dict[str, dict[str, Any]] = {  # recipe.BESIDE_INPUTS
    "rows": {
        "title": "Rows",
        "description": "In place of the recipe's: one item each. Names of inputs, other variables, and paths such as stages.base.steps.",
        "type": "array",
        "items": {"type": "object", "additionalProperties": True},
    },
    "axes": {
        "title": "Axes",
        "description": "Values that every row is made with, by name; each in place of the recipe's axis of that name, or besides its axes.",
        "type": "object",
        "additionalProperties": {"type": "array"},
    },
    "confirm": {"title": "Confirm", "description": "Start it even if it makes very many items.", "type": "boolean", "default": False},
}
_PICTURE = "Base64 of a PNG, JPEG or WEBP file, or the id of a picture that was uploaded or made here."
_HASH = 64  # hex digits

Fetch = Callable[[str], bytes]  # the picture of that id; NotFound where there is none


def run_schema(recipe: Recipe) -> dict[str, Any]:
    """JSON Schema of the body that starts the recipe."""
    fields = {name: _input_schema(declared) for name, declared in recipe.inputs.items()}
    return {
        "title": f"Run of {recipe.name}",
        "description": recipe.about or recipe.title or recipe.name,
        "type": "object",
        "properties": fields | OPTIONS,
        "additionalProperties": False,
    }


def without_given(recipe: Recipe, body: Mapping[str, Any]) -> Recipe:
    """The recipe without the defaults, rows and axes that the body replaces: what is left names the pictures that are still needed."""
    inputs = {
        name: declared if body.get(name) is None else dataclasses.replace(declared, default=None)
        for name, declared in recipe.inputs.items()
    }
    replaced = body.get("axes")
    axes = {name: values for name, values in recipe.axes.items() if not isinstance(replaced, dict) or name not in replaced}
    return dataclasses.replace(recipe, inputs=inputs, rows=recipe.rows if body.get("rows") is None else (), axes=axes)


def read_asked(recipe: Recipe, pictures: Mapping[str, bytes], body: Mapping[str, Any], fetch: Fetch) -> Asked:
    """What the body asks of the recipe, whose own pictures are given too. BadRequest names the field."""
    known = [*recipe.inputs, *OPTIONS]
    for name in body:
        if name not in known:
            raise BadRequest(f'"{name}" is no input of "{recipe.name}".{near_miss(name, known)}')
    found = dict(pictures)
    given = {name: body[name] for name in recipe.inputs if body.get(name) is not None}
    values = _with_pictures(recipe, given, found, fetch, "")
    return Asked(
        recipe=recipe,
        values=values,
        pictures=found,
        rows=_rows(recipe, body.get("rows"), found, fetch),
        axes=_axes(recipe, body.get("axes"), found, fetch),
        confirmed=_boolean(body, "confirm"),
    )


def read_picture(text: Any, fetch: Fetch, what: str) -> bytes:
    """The file behind base64 or an id, looked at as a whole: one that is broken or too large is refused here."""
    if not isinstance(text, str):
        raise BadRequest(f"{what} must be text: base64, or the id of a picture.")
    if is_hash(text):
        return fetch(text)
    data = picture_bytes(text, what=what)
    open_picture(data, what=what)
    return data


def is_hash(text: str) -> bool:
    """Whether it is the id of a picture: 64 hex digits, which as base64 would be no picture."""
    return len(text) == _HASH and not set(text) - set("0123456789abcdef")


def _rows(recipe: Recipe, rows: Any, found: dict[str, bytes], fetch: Fetch) -> tuple[dict[str, Any], ...] | None:
    if rows is None:
        return None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadRequest("rows must be a list of objects.")
    return tuple(_with_pictures(recipe, row, found, fetch, f"rows[{number}].") for number, row in enumerate(rows))


def _axes(recipe: Recipe, axes: Any, found: dict[str, bytes], fetch: Fetch) -> dict[str, list[Any]]:
    if axes is None:
        return {}
    if not isinstance(axes, dict) or not all(isinstance(values, list) for values in axes.values()):
        raise BadRequest("axes must be an object with a list of values for each name.")

    def values_of(name: str, values: list[Any]) -> list[Any]:
        return [_with_pictures(recipe, {name: value}, found, fetch, f"axes[{number}].")[name] for number, value in enumerate(values)]

    return {name: values_of(name, values) for name, values in axes.items()}


def _with_pictures(recipe: Recipe, values: Mapping[str, Any], found: dict[str, bytes], fetch: Fetch, where: str) -> dict[str, Any]:
    """The values with a name in place of each picture, under which it stands in `found`."""
    read = {}
    for name, value in values.items():
        declared = recipe.inputs.get(name)
        if declared is not None and declared.type in PICTURES and not _is_known(value, found):
            file = f"{where}{name}"
            found[file] = read_picture(value, fetch, file)
            value = file
        read[name] = value
    return read


def _boolean(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadRequest(f"{name} must be true or false.")
    return bool(value)


def _input_schema(declared: Input) -> dict[str, Any]:
    schema: dict[str, Any] = {"title": declared.label} if declared.label else {}
    told = [declared.help, _PICTURE if declared.type in PICTURES else ""]
    if not declared.optional and declared.default is None:
        told.append("Needed, unless each row has it.")
    if any(told):
        schema["description"] = " ".join(filter(None, told))
    schema["type"] = "number" if declared.type == "number" else "string"
    if declared.type == "choice":
        schema["enum"] = list(declared.choices)
    bounds = {"minimum": declared.minimum, "maximum": declared.maximum}
    schema |= {word: bound for word, bound in bounds.items() if bound is not None}
    if declared.default is not None and declared.type not in PICTURES:
        schema["default"] = declared.default
    return schema


def _is_known(value: Any, found: Mapping[str, bytes]) -> bool:
    """Whether it is no picture that comes with the request: nothing at all, or the name of one of the recipe's own."""
    return value is None or (isinstance(value, str) and (not value or value in found))
