"""The route of the tab's words in another language, for a page whose host does not bring them."""

from __future__ import annotations

import json
import re

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.desk import Desk
from lib_extension.api.queries import query
from lib_extension.api.ui_files import ROOT

FOLDER = ROOT / "localizations"
_NAME = re.compile(r"[a-z]{2,3}([_-][A-Za-z]{2,4})?")


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""
    parameters = [query("language", "string", "Such as de_DE, or as browsers say it: de, de-DE.")]

    @router.get(
        "/words",
        summary="What the tab's English texts are in a language; empty where that is not known",
        openapi_extra={"parameters": parameters},
    )
    async def words(request: Request) -> Response:
        language = request.query_params.get("language", "")
        return JSONResponse(await desk.aside(lambda: words_of(language)))


def words_of(language: str) -> dict[str, str]:
    """English text → the language's; of another country's form of the language where its own is not there."""
    if not _NAME.fullmatch(language):
        return {}
    wanted = language.replace("-", "_").lower()
    files = {file.stem.lower(): file for file in sorted(FOLDER.glob("*.json"))}
    near = [name for name in files if name.partition("_")[0] == wanted.partition("_")[0]]
    if not near:
        return {}
    return json.loads(files[wanted if wanted in near else near[0]].read_text(encoding="utf-8"))
