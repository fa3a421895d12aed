"""Routes of what lies beside models: the picture that the WebUI shows on a LoRA's or a checkpoint's card, and putting one there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.answers import read_object
from lib_extension.api.desk import Desk
from lib_extension.api.queries import number, query
from lib_extension.jobs.merging import places_in
from lib_extension.jobs.model_places import MODEL_KINDS
from lib_extension.pictures.file_texts import kind_of
from lib_extension.pictures.png import encode_png, open_picture
from lib_extension.session.folder_thumbnails import FolderThumbnails
from lib_extension.session.thumbnails import LARGEST, SMALLEST
from lib_extension.spec.errors import AtelierError, BadRequest
from lib_extension.spec.settings import Settings, field, from_json, json_schema

_ASKED = [
    query("kind", "string", f"One of {', '.join(MODEL_KINDS)}."),
    query("name", "string", "As the inventory has it."),
    query("size", "integer", f"Its longest side, {SMALLEST} to {LARGEST}; a little more may come."),
]


@dataclass(frozen=True, kw_only=True)
class PreviewAsked(Settings):
    """A picture that is to lie beside a model."""

    kind: Literal["loras", "checkpoints"] = field(label="Kind")
    name: str = field(label="Name", help="As the inventory has it.")
    picture: str = field(label="Picture", help="Its id.")


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""
    thumbnails = FolderThumbnails(desk.session.home.folder / "model-thumbnails")

    @router.get(
        "/models/preview", summary="The picture beside a model, small; 204 where there is none", openapi_extra={"parameters": _ASKED}
    )
    async def preview(request: Request) -> Response:
        kind, name = request.query_params.get("kind", "loras"), request.query_params.get("name", "")
        size = number(request, "size", 256, LARGEST, SMALLEST)
        if kind not in MODEL_KINDS:
            raise BadRequest(f"{kind!r:.40} is no kind of model; these are: {', '.join(MODEL_KINDS)}.")
        data = await desk.drawing(lambda: _preview(desk, thumbnails, kind, name, size))
        if not data:
            return Response(status_code=204)
        tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        headers = {"Cache-Control": "private, no-cache", "ETag": tag, "X-Content-Type-Options": "nosniff"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(data, media_type=thumbnails.media_type, headers=headers)

    @router.post(
        "/models/preview",
        status_code=201,
        summary="Put a picture beside a model that has none; it is never replaced",
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": json_schema(PreviewAsked)}}}},
    )
    async def add(request: Request) -> Response:
        asked = from_json(PreviewAsked, await read_object(request))
        places = places_in(desk.jobs.around)
        file = await desk.drawing(lambda: places.add_preview(MODEL_KINDS[asked.kind], asked.name, _as_png(desk.picture(asked.picture))))
        return JSONResponse({"file": file.name}, 201)


def _as_png(data: bytes) -> bytes:
    return data if kind_of(data) == "PNG" else encode_png(open_picture(data, what="The picture"))


def _preview(desk: Desk, thumbnails: FolderThumbnails, kind: str, name: str, size: int) -> bytes:
    """b"" where there is no such model, nothing beside it, or no picture in that file."""
    try:
        file = places_in(desk.jobs.around).preview(MODEL_KINDS[kind], name)
        return thumbnails.get(file, size) if file else b""
    except AtelierError:
        return b""
