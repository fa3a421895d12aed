"""Routes of pictures: as they are stored, as thumbnails, and new ones for runs to work on; and what a picture tells of its recipe."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.answers import parse_json, read_body
from lib_extension.api.desk import Desk
from lib_extension.api.forms import is_hash, read_picture
from lib_extension.pictures.file_texts import kind_of
from lib_extension.pictures.png import encode_png, open_picture
from lib_extension.plan.recipe_files import MOST_PICTURE
from lib_extension.spec.errors import BadRequest, NotFound
from lib_extension.spec.settings import to_json

_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_FOR_EVER = "private, max-age=31536000, immutable"  # a name stands for one content
_LARGEST_SIDE = 2048  # of a thumbnail
_UPLOAD = {
    "application/json": {"schema": {"type": "object", "properties": {"image": {"type": "string"}}, "required": ["image"]}},
    "image/*": {"schema": {"type": "string", "format": "binary"}},
}


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""
    side = {"name": "side", "in": "query", "required": False, "schema": {"type": "integer"}, "description": "Longest side of a thumbnail."}

    @router.get("/pictures/{hash}.png", summary="A picture, or its thumbnail", openapi_extra={"parameters": [side]})
    async def picture(hash: str, request: Request) -> Response:
        asked = request.query_params.get("side")
        if request.headers.get("if-none-match") == f'"{hash}"' and is_hash(hash):
            return Response(status_code=304)
        data = await desk.aside(lambda: desk.picture(hash) if asked is None else _thumbnail(desk.picture(hash), asked))
        headers = {"Cache-Control": _FOR_EVER, "ETag": f'"{hash}"', "X-Content-Type-Options": "nosniff"}
        return Response(data, media_type=_TYPES.get(kind_of(data), "application/octet-stream"), headers=headers)

    @router.post(
        "/pictures", summary="Upload a picture", openapi_extra={"requestBody": {"content": _UPLOAD, "required": True}}, status_code=201
    )
    async def upload(request: Request) -> Response:
        data = await _sent(desk, request)
        return JSONResponse(await desk.aside(lambda: _stored(desk, data)), 201)

    @router.post(
        "/lineage", summary="Which recipe made this picture", openapi_extra={"requestBody": {"content": _UPLOAD, "required": True}}
    )
    async def lineage(request: Request) -> Response:
        data = await _sent(desk, request)
        found = await desk.aside(lambda: desk.session.restorer.of_data(data, "The picture"))
        return JSONResponse(to_json(found.lineage) | {"told_by": found.where})


async def _sent(desk: Desk, request: Request) -> bytes:
    """The picture in a body: the file itself, or JSON with base64 or an id."""
    body = await read_body(request, MOST_PICTURE * 4 // 3 + 1024)
    if not request.headers.get("content-type", "").startswith("application/json"):
        return body
    told = parse_json(body)
    if not isinstance(told, dict) or told.keys() != {"image"}:
        raise BadRequest('The body must be a picture\'s file, or JSON: {"image": "<base64>"}.')
    return await desk.aside(lambda: read_picture(told["image"], desk.picture, "image"))


def _stored(desk: Desk, data: bytes) -> dict[str, object]:
    image = open_picture(data, what="The picture")
    return {"id": desk.session.blobs.put(data), "width": image.width, "height": image.height}


def _thumbnail(data: bytes, asked: str) -> bytes:
    if not asked.isascii() or not asked.isdigit() or len(asked) > 5 or not 1 <= int(asked) <= _LARGEST_SIDE:
        raise BadRequest(f"side must be a number from 1 to {_LARGEST_SIDE}.")
    if not kind_of(data):
        raise NotFound("This is no picture; it has no thumbnail.")
    image = open_picture(data, what="The stored picture")
    image.thumbnail((int(asked), int(asked)))
    image.info = {}
    return encode_png(image)
