"""Routes of the disk: what is used and what is left, and deleting what no run needs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.answers import read_object
from lib_extension.api.desk import Desk
from lib_extension.session.told import Told, collected_told
from lib_extension.spec.settings import Settings, field, from_json, json_schema

_DAY = 86400.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Collection(Settings):
    """What is to be deleted."""

    dry_run: bool = field(False, label="Only say what would go")
    older_than: float | None = field(None, label="Runs older than", minimum=0, help="Days since a run last changed; without, none.")


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""

    @router.get("/disk", summary="What is used and what is left, in bytes")
    async def disk() -> Response:
        return JSONResponse(await desk.aside(lambda: _used(desk)))

    @router.post(
        "/gc",
        summary="Delete what no run needs",
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": json_schema(Collection)}}, "required": False}},
    )
    async def collect(request: Request) -> Response:
        asked = from_json(Collection, await read_object(request), "The body")
        return JSONResponse(await desk.aside(lambda: _collected(desk, asked)))


def _used(desk: Desk) -> Told:
    home = desk.session.home
    ledger = sum(file.stat().st_size for file in home.folder.glob(f"{home.ledger.name}*") if file.is_file())
    pictures = sum(size for _, size, _ in desk.session.blobs.names())
    return {
        "ledger": ledger,
        "pictures": pictures,
        "thumbnails": desk.session.thumbnails.bytes(),
        "free": shutil.disk_usage(home.folder).free,
    }


def _collected(desk: Desk, asked: Collection) -> Told:
    older_than = None if asked.older_than is None else asked.older_than * _DAY
    return collected_told(desk.session.collect(older_than, asked.dry_run)) | {"dry_run": asked.dry_run}
