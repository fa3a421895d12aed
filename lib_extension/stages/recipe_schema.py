"""What may stand in a recipe file, for editors and forms? JSON Schema, from the declarations that load_recipe reads by."""

from __future__ import annotations

from typing import Any

from lib_extension.spec.recipe import Recipe
from lib_extension.spec.settings import json_schema, value_schema
from lib_extension.stages.stage import StageType
from lib_extension.stages.types import STAGES

Schema = dict[str, Any]

_NEVER_VARIABLE = ("id", "type", "kind")  # they say what the rest is
_VARIABLE = {
    "type": "string",
    "pattern": r"\{[A-Za-z_][A-Za-z0-9_-]*\}",
    "description": "A variable: {name} of an input, a row or an axis.",
}
_BESIDE = ("title", "description", "default")


def recipe_schema() -> Schema:
    """JSON Schema 2020-12 of a whole recipe, every type of stage and kind of mask and score in it."""
    schema = json_schema(Recipe)
    defs: Schema = {}
    stages = []
    for name, kind in STAGES.items():
        stages.append(value_schema(kind.settings, defs))
        stage = defs[kind.settings.__name__]
        stage["properties"]["type"] = {"title": "Type", "const": name}
        stage["properties"]["takes"] |= _takes(stage["properties"]["takes"].pop("items"), kind)
        if kind.takes != "nothing":
            del stage["properties"]["takes"]["type"]
    for declared in defs.values():
        declared["properties"] = {
            name: inner if name in _NEVER_VARIABLE else _or_variable(inner) for name, inner in declared["properties"].items()
        }
    schema["properties"]["stages"]["items"] = {"oneOf": stages}
    schema["$defs"] = {**schema.get("$defs", {}), **defs, "Variable": _VARIABLE}
    return schema


def _takes(names: Schema, kind: StageType) -> Schema:
    """One name stands for a list of it; what takes nothing has an empty list."""
    return {"maxItems": 0} if kind.takes == "nothing" else {"anyOf": [{"type": "array", "items": names}, {"type": "string"}]}


def _or_variable(schema: Schema) -> Schema:
    """A variable may stand for any value; where texts are taken anyway nothing needs to be said."""
    if isinstance(schema.get("items"), dict):
        schema = {**schema, "items": _or_variable(schema["items"])}
    if _takes_text(schema) or all(_is_beside(name) for name in schema):
        return schema
    beside = {name: value for name, value in schema.items() if _is_beside(name)}
    value = {name: value for name, value in schema.items() if not _is_beside(name)}
    return {**beside, "anyOf": [value, {"$ref": "#/$defs/Variable"}]}


def _is_beside(word: str) -> bool:
    """Whether it speaks of the field as a whole, whatever stands there."""
    return word in _BESIDE or word.startswith("x-")


def _takes_text(schema: Schema) -> bool:
    return (schema.get("type") == "string" and "enum" not in schema) or any(_takes_text(one) for one in schema.get("anyOf", ()))
