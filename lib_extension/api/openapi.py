"""How does OpenAPI tell the inputs of every recipe as typed fields, even of one saved a moment ago? It is made when it is asked for.

One route starts them all; a path of each one's own stands in the document only.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from lib_extension.api.forms import run_schema
from lib_extension.session.recipes import Recipes
from lib_extension.spec.errors import AtelierError
from lib_extension.spec.recipe import Recipe

_ANY = "/recipes/{name}/"
_WORDS = {"runs": "Run", "plan": "Plan"}
_log = logging.getLogger("atelier")

Operation = dict[str, Any]


def tell_recipes(app: FastAPI, recipes: Recipes) -> None:
    """Have the application's OpenAPI document name each recipe. For an application that has the routes."""
    plain, known = app.openapi, _Known(recipes)

    def openapi() -> dict[str, Any]:
        document = plain()
        return {**document, "paths": _with_paths(document["paths"], known.all())}

    app.openapi = openapi


class _Known:
    """The recipes, each read again only when its file has changed."""

    def __init__(self, recipes: Recipes) -> None:
        self._recipes = recipes
        self._read: dict[Path, tuple[tuple[int, int], Recipe | None]] = {}

    def all(self) -> dict[str, Recipe]:
        """By name; those that cannot be read are left out."""
        found = {}
        for listed in self._recipes.all():
            try:
                about = listed.file.stat()
            except OSError:
                continue  # deleted just now
            stamp = about.st_mtime_ns, about.st_size
            if listed.file not in self._read or self._read[listed.file][0] != stamp:
                self._read[listed.file] = stamp, self._get(listed.name)
            recipe = self._read[listed.file][1]
            if recipe is not None:
                found[listed.name] = recipe
        return found

    def _get(self, name: str) -> Recipe | None:
        try:
            return self._recipes.get(name).recipe
        except AtelierError as error:
            _log.warning("OpenAPI leaves out the recipe %s: %s", name, error)
            return None


def _with_paths(paths: dict[str, Any], recipes: dict[str, Recipe]) -> dict[str, Any]:
    """The paths, with those of each recipe before the one for any."""
    told: dict[str, Any] = {}
    for path, operations in paths.items():
        start, is_any, word = path.partition(_ANY)
        if is_any and word in _WORDS:
            told |= {f"{start}/recipes/{name}/{word}": _operations(operations, name, recipe, word) for name, recipe in recipes.items()}
        told[path] = operations
    return told


def _operations(any_recipe: dict[str, Operation], name: str, recipe: Recipe, word: str) -> dict[str, Operation]:
    schema = run_schema(recipe)
    own = {
        "summary": f"{_WORDS[word]} {recipe.title or name}",
        "description": schema["description"],
        "operationId": f"{word}_of_{name}",
        "requestBody": {"content": {"application/json": {"schema": schema}}, "required": False},
    }
    plain = {field: value for field, value in any_recipe["post"].items() if field != "parameters"}
    return {"post": {**plain, **own}}
