"""What does a recipe that is being edited ask for? The body of a plan or a run that brings its recipe with it; and where it is wrong."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from lib_extension.api.desk import Desk
from lib_extension.api.forms import is_hash, read_picture
from lib_extension.plan.recipe_files import picture_names
from lib_extension.session.asked import Asked
from lib_extension.session.editing import with_pictures
from lib_extension.session.outlook import PreflightRefused
from lib_extension.session.told import Told, finding_told
from lib_extension.spec.errors import AtelierError, BadRequest, NotFound, near_miss
from lib_extension.spec.recipe import PICTURES
from lib_extension.stages import load_recipe

SCHEMA: dict[str, Any] = {
    "title": "Work",
    "description": "A recipe with the values of its inputs.",
    "type": "object",
    "required": ["recipe"],
    "additionalProperties": False,
    "properties": {
        "recipe": {"type": "object", "description": "As GET /schema says; pictures stand in it as base64, or by the ids of uploads."},
        "inputs": {"type": "object", "description": "A value for each input that is to have another than its default."},
        "rows": {"type": "array", "items": {"type": "object"}, "description": "In place of the recipe's."},
        "confirm": {"type": "boolean", "default": False, "description": "Go on even if it makes very many items."},
    },
}

_PLACE = re.compile(r"(?P<path>(?:stages\.(?P<stage>[A-Za-z_][\w-]*)|inputs|settings|rows|axes)(?:\.[\w-]+|\[\d+\])*)")
_REFERENCE = re.compile(r' (takes|names) (?:"([^"]*)"|nothing)')


def read_work(body: Mapping[str, Any], desk: Desk) -> Asked:
    """The run that the body asks for. Every error names the field."""
    _refuse_other_forms(body)
    recipe = load_recipe(body["recipe"])
    if (rows := body.get("rows")) is not None:
        recipe = dataclasses.replace(recipe, rows=tuple(rows))
        recipe.check()
    given = {name: value for name, value in (body.get("inputs") or {}).items() if value is not None}
    inputs = {name: dataclasses.replace(one, default=None) if name in given else one for name, one in recipe.inputs.items()}
    recipe = with_pictures(dataclasses.replace(recipe, inputs=inputs), lambda text: _identified(text, desk, "A picture of the recipe"))
    values = {name: _value(recipe.inputs[name].type, name, value, desk) if name in inputs else value for name, value in given.items()}
    pictures = {id: id for id in picture_names(recipe, values)}
    return Asked(recipe=recipe, values=values, pictures=pictures, confirmed=bool(body.get("confirm")))


def refusal(error: AtelierError, body: Mapping[str, Any]) -> Response:
    """The answer that says what is wrong, and where: beside which field of which stage."""
    told: Told = {"error": type(error).__name__, "detail": str(error), "where": where(str(error), body.get("recipe"))}
    if isinstance(error, PreflightRefused):
        told["findings"] = [told_with_path(finding_told(finding)) for finding in error.findings]
    return JSONResponse(told, error.status)


def told_with_path(finding: Told) -> Told:
    """A finding whose field is a path for forms: controlnet.0.model."""
    return {**finding, "field": dotted(str(finding["field"]))}


def where(message: str, recipe: object) -> dict[str, str]:
    """The stage and field that a message speaks of; both '' where it speaks of the recipe as a whole."""
    found = _PLACE.match(message)
    if found is None:
        return {"stage": "", "field": ""}
    stage = found["stage"] or ""
    field = found["path"][len(f"stages.{stage}.") :] if stage else found["path"]
    if not field and (reference := _REFERENCE.match(message, found.end())):
        field = "takes" if reference[1] == "takes" else _path_to(reference[2], _stage(recipe, stage))
    return {"stage": stage, "field": dotted(field)}


def dotted(path: str) -> str:
    """controlnet[0].model as controlnet.0.model."""
    return re.sub(r"\[(\d+)\]", r".\1", path)


def _refuse_other_forms(body: Mapping[str, Any]) -> None:
    known = SCHEMA["properties"]
    for name in body:
        if name not in known:
            raise BadRequest(f"{name} is not known.{near_miss(name, known)}")
    if not isinstance(body.get("recipe"), dict):
        raise BadRequest("recipe must be an object: the recipe to plan.")
    if not isinstance(body.get("inputs"), (dict, type(None))):
        raise BadRequest("inputs must be an object.")
    rows = body.get("rows")
    if rows is not None and not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
        raise BadRequest("rows must be a list of objects.")
    if not isinstance(body.get("confirm"), (bool, type(None))):
        raise BadRequest("confirm must be true or false.")


def _value(kind: str, name: str, value: Any, desk: Desk) -> Any:
    return _identified(value, desk, f"inputs.{name}") if kind in PICTURES and isinstance(value, str) and value else value


def _identified(text: str, desk: Desk, what: str) -> str:
    """The id of a picture that stands there as base64 or as an id."""
    if not is_hash(text):
        return desk.session.blobs.put(read_picture(text, desk.picture, what))
    if not desk.session.blobs.path(text).is_file():
        raise NotFound(f"{what}: there is no picture {text[:12]}… here any more. Choose it again.")
    return text


def _stage(recipe: object, id: str) -> object:
    stages = recipe.get("stages") if isinstance(recipe, dict) else None
    return next((one for one in stages or () if isinstance(one, dict) and one.get("id") == id), None)


def _path_to(text: str, value: object, path: str = "") -> str:
    """Where in a stage a text stands."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in pairs:
        here = f"{path}.{name}" if path else str(name)
        if inner == text and name != "id":
            return here
        if found := _path_to(text, inner, here):
            return found
    return ""
