"""Routes of the worker's environment: how it stands, and jobs that make, update and remove it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.answers import read_object
from lib_extension.api.desk import Desk
from lib_extension.api.job_routes import added
from lib_extension.setup.standing import index_of, is_in_use, needed, standing
from lib_extension.spec.errors import BadRequest

_BUILD = {"type": "string", "description": "cpu, or a CUDA or ROCm such as cu128; empty: as it is now, or the usual one."}
_BODY = {
    "requestBody": {
        "content": {"application/json": {"schema": {"type": "object", "properties": {"torch": _BUILD}, "additionalProperties": False}}}
    }
}


class InUse(BadRequest):
    """Not while this process runs in it."""

    status = 409


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""

    @router.get("/worker", summary="How the worker's environment stands; sizes in bytes, those of what it would take by build of torch")
    async def worker() -> Response:
        return JSONResponse(await desk.patiently(lambda: _told(desk)))

    async def change(request: Request, action: str) -> Response:
        body = await read_object(request)
        if body.keys() - {"torch"} or not isinstance(body.get("torch", ""), str):
            raise BadRequest('The body may only hold "torch", a text.')
        if is_in_use(desk.jobs.environment):
            words = {"remove": "--remove"}.get(action, "--update")
            raise InUse(f"Atelier itself runs in this environment. End it, then type: python3 install.py worker {words}")
        return await added(desk, "worker", {**body, "action": action})

    @router.post("/worker/make", status_code=201, summary="A job that makes the worker's environment", openapi_extra=_BODY)
    async def make(request: Request) -> Response:
        return await change(request, "make")

    @router.post("/worker/update", status_code=201, summary="A job that makes the worker's environment anew", openapi_extra=_BODY)
    async def update(request: Request) -> Response:
        return await change(request, "update")

    @router.post("/worker/remove", status_code=201, summary="A job that deletes the worker's environment", openapi_extra=_BODY)
    async def remove(request: Request) -> Response:
        return await change(request, "remove")


def _told(desk: Desk) -> dict[str, Any]:
    found = standing(desk.jobs.environment)
    sizes = {build: needed(index_of(build)) for build in ("", "cpu", "cu126", "cu128", "cu130", "rocm6.4", "xpu")}
    made = found.state in ("ready", "outdated")
    return {**asdict(found), "made": made, "update_available": found.state == "outdated", "builds": sizes}
