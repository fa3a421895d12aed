"""Routes of what a page shows of a picture: the picture itself, a thumbnail, and the infotext that it carries."""

from __future__ import annotations

import io
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from PIL import Image

from lib_extension.api.desk import Desk
from lib_extension.api.forms import is_hash
from lib_extension.api.queries import number, query
from lib_extension.pictures.file_texts import PARAMETERS, kind_of
from lib_extension.pictures.png import FORMATS, open_picture, read_text_chunks
from lib_extension.session.thumbnails import LARGEST, SMALLEST
from lib_extension.spec.errors import NotFound

_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_FOR_EVER = "private, max-age=31536000, immutable"  # a name stands for one content


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""

    @router.get("/pictures/{id}", summary="A picture, as it is stored")
    async def picture(id: str, request: Request) -> Response:
        return _kept(request, id, id) or _shown(await desk.aside(lambda: desk.picture(id)), id)

    @router.get(
        "/pictures/{id}/thumbnail",
        summary="A picture, small",
        openapi_extra={"parameters": [query("size", "integer", f"Its longest side, {SMALLEST} to {LARGEST}; a little more may come.")]},
    )
    async def thumbnail(id: str, request: Request) -> Response:
        size = number(request, "size", 256, LARGEST, SMALLEST)
        tag = f"{id}-{size}"
        return _kept(request, id, tag) or _shown(await desk.drawing(lambda: _thumbnail(desk, id, size)), tag)

    @router.get("/pictures/{id}/infotext", summary="How a picture was made, as WebUIs write it")
    async def infotext(id: str) -> Response:
        return JSONResponse({"infotext": await desk.aside(lambda: _infotext(desk, id))})


def _thumbnail(desk: Desk, id: str, size: int) -> bytes:
    if not is_hash(id):
        raise NotFound(f"{id!r:.80} is no picture's id.")
    if not desk.session.blobs.path(id).is_file():
        raise NotFound(f"There is no picture {id[:12]}….")
    return desk.session.thumbnails.get(id, size)


def _infotext(desk: Desk, id: str) -> str:
    """From the file without its pixels, where it is whole enough to be opened; '' where it tells nothing."""
    data = desk.picture(id)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return read_text_chunks(image).get(PARAMETERS, "")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return read_text_chunks(open_picture(data, what="The picture")).get(PARAMETERS, "")


def _kept(request: Request, id: str, tag: str) -> Response | None:
    """The answer that the browser has it already."""
    return Response(status_code=304) if is_hash(id) and request.headers.get("if-none-match") == f'"{tag}"' else None


def _shown(data: bytes, tag: str) -> Response:
    headers: dict[str, Any] = {"Cache-Control": _FOR_EVER, "ETag": f'"{tag}"', "X-Content-Type-Options": "nosniff"}
    return Response(data, media_type=_TYPES.get(kind_of(data), "application/octet-stream"), headers=headers)
