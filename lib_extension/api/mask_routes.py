"""The route that shows what a mask chooses of a picture, before a run does."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.answers import read_object
from lib_extension.api.desk import Desk
from lib_extension.api.forms import is_hash, read_picture
from lib_extension.session.mask_preview import MaskShow
from lib_extension.spec.errors import BadRequest, NotFound, near_miss

_PICTURE = {"type": "string", "description": "An id, or base64."}
_SCHEMA: dict[str, Any] = {
    "title": "MaskPreview",
    "type": "object",
    "required": ["mask", "picture"],
    "additionalProperties": False,
    "properties": {
        "mask": {"description": "A mask, or several, as in a stage; GET /schema tells them.", "type": "object"},
        "picture": _PICTURE,
        "others": {"type": "object", "additionalProperties": _PICTURE, "description": "Pictures of the stages and inputs that it names."},
    },
}


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""
    show = MaskShow(desk.session.ledger, desk.session.blobs, desk.session.pool)

    @router.post(
        "/masks/preview",
        summary="What a mask chooses of a picture",
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": _SCHEMA}}, "required": True}},
    )
    async def preview(request: Request) -> Response:
        body = await read_object(request)
        return JSONResponse(await desk.patiently(lambda: dataclasses.asdict(_shown(desk, show, body))))


def _shown(desk: Desk, show: MaskShow, body: Mapping[str, Any]) -> Any:
    for name in body:
        if name not in _SCHEMA["properties"]:
            raise BadRequest(f"{name} is not known.{near_miss(name, _SCHEMA['properties'])}")
    others = {} if body.get("others") is None else body["others"]
    if not isinstance(others, dict):
        raise BadRequest("others must be an object: a picture for each name.")
    pictures = {name: _picture(desk, value, f"others.{name}") for name, value in others.items()}
    return show.show(body.get("mask"), _picture(desk, body.get("picture"), "picture"), pictures)


def _picture(desk: Desk, value: Any, what: str) -> bytes | str:
    """The content, or the id of a picture that is there."""
    if not isinstance(value, str) or not is_hash(value):
        return read_picture(value, desk.picture, what)
    if not desk.session.blobs.path(value).is_file():
        raise NotFound(f"{what}: there is no picture {value[:12]}….")
    return value
