"""Routes of class pictures: what may be asked of them, and starting the run that draws them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.answers import read_object
from lib_extension.api.desk import Desk
from lib_extension.jobs.training import is_inside
from lib_extension.session.class_pictures import add_class_pictures
from lib_extension.spec.class_pictures import ClassPicturesSettings
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import from_json, json_schema


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""
    schema = json_schema(ClassPicturesSettings)

    @router.get("/dataset/class-pictures", summary="What may be asked of class pictures")
    async def form() -> Response:
        return JSONResponse({"schema": schema})

    @router.post(
        "/dataset/class-pictures",
        summary="Draw what a folder's captions say without the trigger word; a run, whose pictures go into the other folder at its end",
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}},
        status_code=201,
    )
    async def start(request: Request) -> Response:
        settings = from_json(ClassPicturesSettings, await read_object(request))
        return JSONResponse(await desk.patiently(lambda: _start(desk, settings)), 201)


def _start(desk: Desk, settings: ClassPicturesSettings) -> dict[str, Any]:
    roots = desk.jobs.around.roots
    for name, text in (("folder", settings.folder), ("into", settings.into)):
        path = Path(text).expanduser()
        if not path.is_absolute():
            raise BadRequest(f'{name} is "{text[-80:]}"; name the folder by its whole path.')
        if roots is not None and not is_inside(path, roots):
            raise BadRequest(f'{name} is "{text[-80:]}", outside of the folders that may be used from here.')
    run_id, _ = add_class_pictures(desk.session, settings)
    desk.session.start(run_id)
    return {"run": run_id, "into": str(desk.session.class_orders.into(run_id))}
