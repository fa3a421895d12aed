"""Routes of the draft: the recipe that is being edited, the same for everybody who looks; and recipes in files, to begin with."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.answers import parse_json, read_body
from lib_extension.api.desk import Desk
from lib_extension.plan.recipe_zip import MOST_ZIP
from lib_extension.session.draft import Draft, Stale, draft_told
from lib_extension.session.opening import opened_told
from lib_extension.spec.errors import BadRequest, near_miss

MOST = 16 * 2**20  # bytes; pictures stand in it by their ids

_SCHEMA: dict[str, Any] = {
    "title": "Draft",
    "type": "object",
    "required": ["revision", "recipe"],
    "additionalProperties": False,
    "properties": {
        "revision": {"type": "integer", "minimum": 0, "description": "Of the draft that was edited; 0 where there was none."},
        "recipe": {"type": "object", "nullable": True, "description": "Kept whether it can be planned yet or not."},
        "inputs": {"type": "object"},
        "base": {"type": "string", "description": "The name of the recipe that it was at first."},
        "changed": {"type": "boolean", "description": "As it was told; found out anew."},
    },
}


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""

    @router.get("/draft", summary="The recipe that is being edited")
    async def draft() -> Response:
        return JSONResponse(await desk.aside(lambda: draft_told(desk.session.drafts.get())))

    @router.post(
        "/restore",
        summary="The recipe in a picture or a recipe file, to go on with",
        openapi_extra={
            "requestBody": {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}, "required": True}
        },
    )
    async def restore(request: Request) -> Response:
        data = await read_body(request, MOST_ZIP)
        return JSONResponse(await desk.patiently(lambda: opened_told(desk.session.opener.open(data))))

    @router.put(
        "/draft",
        summary="Keep an edit; 409 with the draft where somebody else was quicker",
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": _SCHEMA}}, "required": True}},
    )
    async def keep(request: Request) -> Response:
        body = parse_json(await read_body(request, MOST))
        try:
            return JSONResponse(await desk.aside(lambda: draft_told(_kept(desk, body))))
        except Stale as error:
            return JSONResponse({"error": "Stale", "detail": str(error), "draft": draft_told(error.draft)}, error.status)


def _kept(desk: Desk, body: Any) -> Draft:
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.")
    for name in body:
        if name not in _SCHEMA["properties"]:
            raise BadRequest(f"{name} is not known.{near_miss(name, _SCHEMA['properties'])}")
    revision, recipe = body.get("revision"), body.get("recipe")
    inputs = {} if body.get("inputs") is None else body["inputs"]
    base = "" if body.get("base") is None else body["base"]
    if type(revision) is not int or not 0 <= revision < 2**53:
        raise BadRequest("revision must be the number that the draft had when it was read.")
    if recipe is not None and not isinstance(recipe, dict):
        raise BadRequest("recipe must be an object.")
    if not isinstance(inputs, dict) or not isinstance(base, str):
        raise BadRequest("inputs must be an object, and base a recipe's name.")
    return desk.session.drafts.keep(revision, recipe, inputs, base)
