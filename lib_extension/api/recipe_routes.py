"""Routes of recipes: which there are, what they ask for, keeping one's own, and starting or planning a run of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.answers import parse_json, read_body, read_object
from lib_extension.api.desk import Desk
from lib_extension.api.forms import OPTIONS, read_asked, read_picture, run_schema, without_given
from lib_extension.api.run_routes import run_answer
from lib_extension.plan import RecipeFile
from lib_extension.plan.folders import Folder
from lib_extension.plan.plain_data import read_yaml
from lib_extension.plan.recipe_files import picture_names, read_recipe_file
from lib_extension.plan.recipe_zip import MOST_ZIP, pack_recipe
from lib_extension.session.asked import Asked
from lib_extension.session.recipes import Listed
from lib_extension.session.told import finding_told, outlook_told
from lib_extension.spec.errors import AtelierError, BadRequest
from lib_extension.stages import as_written, load_recipe, recipe_schema

_ZIP = "application/zip"
_ZIP_BEGINS = b"PK\x03\x04"
_SHORTEST_PICTURE = 64  # characters: an id has so many, and base64 of the smallest picture more; what is shorter is a file's name


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""
    _add_reading(router, desk)
    _add_keeping(router, desk)
    _add_starting(router, desk)


def _add_reading(router: APIRouter, desk: Desk) -> None:
    @router.get("/schema", summary="JSON Schema of recipes")
    async def schema() -> Response:
        return JSONResponse(await desk.aside(recipe_schema))

    @router.get("/recipes", summary="Recipes that can be started")
    async def recipes() -> Response:
        return JSONResponse(await desk.aside(lambda: [_listed(desk, one) for one in desk.session.recipes.all()]))

    @router.get("/recipes/{name}", summary="A recipe, and what starting it takes")
    async def recipe(name: str, request: Request) -> Response:
        if _ZIP in request.headers.get("accept", ""):
            data = await desk.aside(lambda: _packed(desk.session.recipes.get(name)))
            return Response(data, media_type=_ZIP, headers={"Content-Disposition": f'attachment; filename="{name}.zip"'})
        return JSONResponse(await desk.aside(lambda: _told(desk, name)))


def _add_keeping(router: APIRouter, desk: Desk) -> None:
    text, binary = {"schema": {"type": "string"}}, {"schema": {"type": "string", "format": "binary"}}
    body = {"application/json": {"schema": {"type": "object"}}, "application/yaml": text, _ZIP: binary}

    @router.put("/recipes/{name}", summary="Keep a recipe of one's own", openapi_extra={"requestBody": {"content": body, "required": True}})
    async def keep(name: str, request: Request) -> Response:
        data = await read_body(request, MOST_ZIP)
        await desk.aside(lambda: _keep(desk, name, data))
        return JSONResponse(await desk.aside(lambda: _told(desk, name)))

    @router.delete("/recipes/{name}", summary="Delete a recipe of one's own")
    async def remove(name: str) -> Response:
        await desk.aside(lambda: desk.session.recipes.remove(name))
        return JSONResponse({"deleted": name})


def _add_starting(router: APIRouter, desk: Desk) -> None:
    """For any recipe; `openapi.tell_recipes` tells the fields of each."""
    schema = {"title": "Run", "description": "The recipe's inputs by name, and:", "type": "object", "properties": OPTIONS}
    body: dict[str, Any] = {"requestBody": {"content": {"application/json": {"schema": schema}}, "required": False}}

    async def asked_by(name: str, request: Request) -> Asked:
        body = await read_object(request)
        return await desk.aside(lambda: _asked(desk, name, body))

    @router.post("/recipes/{name}/runs", summary="Run a recipe", operation_id="runs_of_any", openapi_extra=body, status_code=201)
    async def start(name: str, request: Request) -> Response:
        asked = await asked_by(name, request)
        return JSONResponse(await desk.patiently(lambda: _start(desk, asked)), 201)

    @router.post("/recipes/{name}/plan", summary="Plan a recipe", operation_id="plan_of_any", openapi_extra=body)
    async def look_ahead(name: str, request: Request) -> Response:
        asked = await asked_by(name, request)
        return JSONResponse(await desk.patiently(lambda: outlook_told(desk.session.outlook(asked))))


def _listed(desk: Desk, listed: Listed) -> dict[str, Any]:
    told: dict[str, Any] = {"name": listed.name, "built_in": listed.built_in}
    try:
        file = desk.session.recipes.get(listed.name)
        return told | {"title": file.recipe.title, "about": file.recipe.about, "cover": desk.session.editing.cover(listed, file) or None}
    except AtelierError as error:
        return told | {"problem": str(error)}


def _told(desk: Desk, name: str) -> dict[str, Any]:
    listed = desk.session.recipes.find(name)
    file = desk.session.recipes.get(name)
    return {
        "name": name,
        "built_in": listed.built_in,
        "recipe": desk.session.editing.of_file(file),
        "inputs": run_schema(file.recipe),
        "pictures": list(picture_names(file.recipe)),
    }


def _packed(file: RecipeFile) -> bytes:
    return pack_recipe(file.as_written, file.read_picture)


def _keep(desk: Desk, name: str, data: bytes) -> None:
    """A zip, JSON or YAML, by what it is: tools that send files say the wrong type, or none."""
    if data.startswith(_ZIP_BEGINS):
        file = read_recipe_file(data, f"{name}.zip", Folder(Path()))  # a zip brings its own files
        desk.session.recipes.save(name, file.as_written, file.read_picture)
        return
    is_json = data.lstrip()[:1] in (b"", b"{", b"[")
    value = parse_json(data) if is_json else read_yaml(data, "The recipe")
    if not isinstance(value, dict):
        raise BadRequest("The body must be a recipe: JSON or YAML with its stages, or a zip that was exported.")
    load_recipe({"name": name, **value})
    recipe = as_written({"name": name, **value})
    if recipe.rows_file:
        raise BadRequest("rows_file names a file; write the rows into the recipe, or send a zip.")
    desk.session.recipes.save(name, recipe, lambda text: _picture_in(desk, text))


def _picture_in(desk: Desk, text: str) -> bytes:
    """Of a recipe that brings no files: base64, or an id."""
    if len(text) < _SHORTEST_PICTURE:
        raise BadRequest(
            f'The recipe names the picture "{text}", which was not sent. Export it as a zip with its pictures, or upload them.'
        )
    return read_picture(text, desk.picture, "A picture of the recipe")


def _asked(desk: Desk, name: str, body: Mapping[str, Any]) -> Asked:
    file = desk.session.recipes.get(name)
    needed = without_given(file.recipe, body)
    return read_asked(file.recipe, {picture: file.read_picture(picture) for picture in picture_names(needed)}, body, desk.picture)


def _start(desk: Desk, asked: Asked) -> dict[str, Any]:
    run_id, outlook = desk.session.add(asked)
    desk.session.start(run_id)
    return run_answer(desk, run_id) | {"findings": [finding_told(finding) for finding in outlook.findings]}
