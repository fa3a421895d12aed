"""Routes of merging beside those of its jobs: what there is to choose from, what would happen, and what was made only to be tried."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.answers import read_object
from lib_extension.api.desk import Desk
from lib_extension.jobs.checking import check_merging
from lib_extension.jobs.merging import places_in
from lib_extension.jobs.model_places import TRY
from lib_extension.spec.errors import BadRequest, NotFound
from lib_extension.spec.merging import BLOCKS, PRESETS

_CHECK = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["kind", "config"],
                    "properties": {"kind": {"type": "string"}, "config": {"type": "object"}},
                    "additionalProperties": False,
                }
            }
        },
    }
}


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""

    @router.get("/merging", summary="Blocks and presets of block weights, and LoRAs that were made to be tried")
    async def merging() -> Response:
        return JSONResponse(await desk.aside(lambda: _told(desk)))

    @router.post("/merging/check", summary="What a job of merging would do, and what is strange about it", openapi_extra=_CHECK)
    async def check(request: Request) -> Response:
        body = await read_object(request)
        kind, config = body.get("kind"), body.get("config")
        if not isinstance(kind, str) or not isinstance(config, dict) or body.keys() - {"kind", "config"}:
            raise BadRequest('The body must be {"kind": "…", "config": {…}}.')
        return JSONResponse(asdict(await desk.patiently(lambda: check_merging(desk.jobs, kind, config))))

    @router.delete("/merging/tried/{name}", status_code=204, summary="Delete a LoRA that was made to be tried")
    async def remove(name: str) -> Response:
        await desk.aside(lambda: _remove(desk, name))
        return Response(status_code=204)


def _told(desk: Desk) -> dict[str, Any]:
    tried = [path.stem for path in places_in(desk.jobs.around).tried()]
    return {"blocks": list(BLOCKS), "presets": list(PRESETS), "try": TRY, "tried": tried}


def _remove(desk: Desk, name: str) -> None:
    """Names are compared with those of files that are there."""
    file = next((path for path in places_in(desk.jobs.around).tried() if path.stem == name), None)
    if file is None:
        raise NotFound(f'There is no LoRA "{name:.80}" that was made to be tried.')
    with suppress(FileNotFoundError):
        file.unlink()
