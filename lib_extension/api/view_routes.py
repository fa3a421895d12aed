"""Routes of looking at runs: a history of all of them, how one stands, its pictures page by page, and what is being drawn just now."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.desk import Desk
from lib_extension.api.queries import flag, number, query
from lib_extension.api.run_routes import BRIEF, run_answer
from lib_extension.pictures.file_texts import kind_of
from lib_extension.runs.overview import Asked
from lib_extension.runs.records import STATES
from lib_extension.session.told import Told
from lib_extension.spec.errors import BadRequest, NotFound, near_miss

_MOST = 1000
_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}

_HISTORY = [
    query("search", "string", "In the id, the recipe and its inputs."),
    query("recipe", "string", "A recipe's name."),
    query("state", "string", f"One or more of {', '.join(STATES)}, with commas between them."),
    query("before", "string", "The id of a run: only older ones."),
    query("limit", "integer"),
]
_PAGE = [
    query("stage", "string", "Its id; without, of all stages but reviews."),
    query("after", "integer", "How many to leave out at the beginning: those that are known already."),
    query("limit", "integer"),
]


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""

    @router.get("/runs", summary="Runs, the newest first", openapi_extra={"parameters": _HISTORY})
    async def runs(request: Request) -> Response:
        asked = _asked(request)
        return JSONResponse(await desk.aside(lambda: _history(desk, asked)))

    @router.get("/runs/{id}", summary="A run, its stages, and the choices that it waits for", openapi_extra={"parameters": [BRIEF]})
    async def run(id: str, request: Request) -> Response:
        is_brief = flag(request, "brief")
        return JSONResponse(await desk.aside(lambda: run_answer(desk, id, is_brief)))

    @router.get(
        "/runs/{id}/pictures", summary="A run's pictures, in the order in which they were made", openapi_extra={"parameters": _PAGE}
    )
    async def pictures(id: str, request: Request) -> Response:
        stage = request.query_params.get("stage", "")
        after, limit = number(request, "after", 0, 10**9, least=0), number(request, "limit", 100, _MOST)
        return JSONResponse(await desk.aside(lambda: _pictures(desk, id, stage, after, limit)))

    @router.get("/runs/{id}/preview", summary="The picture that is being drawn; 204 where there is none to see")
    async def preview(id: str, request: Request) -> Response:
        data = await desk.patiently(lambda: _preview(desk, id))
        if not kind_of(data):
            return Response(status_code=204)
        tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        headers = {"Cache-Control": "no-cache", "ETag": tag, "X-Content-Type-Options": "nosniff"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(data, media_type=_TYPES[kind_of(data)], headers=headers)


def _asked(request: Request) -> Asked:
    asked = request.query_params
    words = [word for word in asked.get("state", "").split(",") if word]
    for word in words:
        if word not in STATES:
            raise BadRequest(f"{word!r:.40} is no state of a run; these are: {', '.join(STATES)}.{near_miss(word[:40], STATES)}")
    return Asked(
        search=asked.get("search", ""),
        recipe=asked.get("recipe", ""),
        states=tuple(state for state in STATES if state in words),
        before=asked.get("before", ""),
        limit=number(request, "limit", 50, _MOST),
    )


def _history(desk: Desk, asked: Asked) -> list[Told]:
    desk.session.ledger.settle()
    return desk.session.gallery.runs(asked)


def _pictures(desk: Desk, run_id: str, stage: str, after: int, limit: int) -> list[dict[str, Any]]:
    run = desk.session.ledger.runs.get(run_id)
    known = [str(one["id"]) for one in run.recipe["stages"]]
    if stage and stage not in known:
        raise NotFound(f'The run has no stage "{stage[:80]}".{near_miss(stage[:80], known)}')
    return desk.session.gallery.pictures(run, stage, after, limit)


def _preview(desk: Desk, run_id: str) -> bytes:
    """Its file; empty where there is none."""
    desk.session.ledger.runs.get(run_id)
    try:
        return base64.b64decode(desk.session.runner.live_preview(run_id).partition(",")[2], validate=True)
    except (binascii.Error, ValueError):  # a backend that says something else
        return b""
