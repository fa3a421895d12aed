"""Routes of the files that a run leaves: what exports made, in their sizes and formats, manifests, and every picture on the way."""

from __future__ import annotations

import hashlib

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from lib_extension.api.desk import Desk
from lib_extension.runs.output_folder import files_told
from lib_extension.runs.storage import disk_errors
from lib_extension.spec.errors import NotFound, near_miss

_TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "json": "application/json"}


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""

    @router.get("/runs/{id}/files", summary="The files that a run has made so far, with their hashes")
    async def files(id: str) -> Response:
        told = await desk.aside(lambda: _told(desk, id))
        return JSONResponse([{"file": name, "sha256": sha256} for name, sha256 in told.items()])

    @router.get("/runs/{id}/files/{name:path}", summary="One of a run's files")
    async def file(id: str, name: str) -> Response:
        data = await desk.aside(lambda: _read(desk, id, name))
        kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
        return Response(data, media_type=kind, headers={"X-Content-Type-Options": "nosniff"})


def _told(desk: Desk, run_id: str) -> dict[str, str]:
    """The hash of each file by its name, as the folder's manifest tells; of a run that has come to a halt, all of them."""
    run = desk.session.ledger.runs.get(run_id)
    if run.state != "running":
        desk.session.delivered(run_id)
    return dict(files_told(desk.session.folder_of(run)))


def _read(desk: Desk, run_id: str, name: str) -> bytes:
    """Only what the manifest tells of is ever read, and only while it is as it was written. NotFound."""
    told = _told(desk, run_id)
    if name not in told:
        raise NotFound(f'The run "{run_id}" has no file "{name}".{near_miss(name, told)}')
    file = desk.session.folder_of(desk.session.ledger.runs.get(run_id)) / name
    with disk_errors("The output folder"):
        data = file.read_bytes() if file.is_file() else b""
    if hashlib.sha256(data).hexdigest() != told[name]:
        raise NotFound(f'The file "{name}" is not there any more as it was made. Resume the run to have it again.')
    return data
