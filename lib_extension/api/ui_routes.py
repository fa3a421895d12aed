"""The route of the tab's own modules. Their version stands in the path, so that a cache never mixes two versions."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from lib_extension.api.desk import Desk
from lib_extension.api.ui_files import UiFiles
from lib_extension.spec.errors import NotFound

_FOR_EVER = "private, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


def add_routes(router: APIRouter, desk: Desk, files: UiFiles) -> None:
    """On paths below the router's prefix."""

    @router.get("/ui/{version}/{path:path}", summary="A file of the tab", include_in_schema=False)
    async def file(version: str, path: str, request: Request) -> Response:
        if version != files.version:
            raise NotFound("The page is of another version of Atelier than the server; load it anew.")
        found = await desk.aside(lambda: files.get(path))
        headers = {"Cache-Control": _FOR_EVER if found.as_versioned else _ASK_AGAIN, "X-Content-Type-Options": "nosniff"}
        return Response(found.data, media_type=found.type, headers=headers)
