"""How does a run that was asked for become a recipe file again? Its values become the inputs' defaults."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lib_extension.plan.plain_data import write_yaml
from lib_extension.plan.recipe_files import picture_names
from lib_extension.plan.recipe_zip import pack_recipe
from lib_extension.runs.blobs import Blobs
from lib_extension.runs.storage import disk_errors
from lib_extension.session.asked import Asked
from lib_extension.spec.errors import BadRequest, NotFound
from lib_extension.spec.recipe import PICTURES, Input, Recipe
from lib_extension.spec.settings import to_json


def as_recipe(asked: Asked) -> Recipe:
    """The recipe that asks for the same without any values being given."""
    inputs = {}
    for name, declared in asked.whole.inputs.items():
        value = name if declared.type in PICTURES and name in asked.pictures else asked.values.get(name)
        inputs[name] = declared if value is None else dataclasses.replace(declared, default=value)
    return dataclasses.replace(asked.whole, inputs=inputs)


def save_recipe(file: Path, asked: Asked, blobs: Blobs) -> None:
    """Write it as .zip, with its pictures; or as .yaml or .json, if it has none."""
    recipe = as_recipe(asked)
    suffix = file.suffix.lower()
    if suffix == ".zip":
        data = pack_recipe(recipe, reader(asked, blobs))
    elif suffix not in (".yaml", ".yml", ".json"):
        raise BadRequest(f"{file.name} is no name for a recipe; it must end with .zip, .yaml or .json.")
    elif names := picture_names(recipe):
        raise BadRequest(f"The recipe has pictures ({', '.join(names[:5])}); only a .zip holds them.")
    else:
        told = _short(recipe) | {"inputs": {name: _short(declared) for name, declared in recipe.inputs.items()}}
        data = (json.dumps(told, indent=2, ensure_ascii=False) + "\n" if suffix == ".json" else write_yaml(told)).encode("utf-8", "replace")
    with disk_errors(file.name):
        file.write_bytes(data)


def reader(asked: Asked, blobs: Blobs) -> Callable[[str], bytes]:
    """Gives the pictures of what was asked, by name."""

    def read(name: str) -> bytes:
        picture = asked.pictures.get(name)
        if picture is None:
            raise NotFound(f'The picture "{name}" is not stored here.')
        return blobs.get(picture) if isinstance(picture, str) else picture

    return read


def _short(settings: Recipe | Input) -> dict[str, Any]:
    """As JSON, without what says only the default."""
    plain = {
        f.name: f.default_factory() if f.default_factory is not dataclasses.MISSING else f.default for f in dataclasses.fields(settings)
    }
    said = {name: value for name, default in plain.items() if (value := getattr(settings, name)) != default or name == "version"}
    return {name: to_json(value) for name, value in said.items()}
