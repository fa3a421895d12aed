"""Routes of what is around: where the tab is, which backends answer, and the names that they have."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.answers import LARGEST_BODY
from lib_extension.api.desk import Desk
from lib_extension.api.queries import flag, query
from lib_extension.backend.latest import Latest
from lib_extension.pictures.png import MOST_PIXELS
from lib_extension.plan.recipe_files import MOST_PICTURE
from lib_extension.plan.rows import MOST_ITEMS, UNCONFIRMED_ITEMS
from lib_extension.runs.surroundings import last_seen
from lib_extension.session.supplies import supplies
from lib_extension.stages.recipe_form import STAGES_AT_MOST

_FRESH = 10.0  # seconds that an answer counts
_PATIENCE = 1.0
_LIMITS = {
    "body_bytes": LARGEST_BODY,
    "picture_bytes": MOST_PICTURE,
    "picture_pixels": MOST_PIXELS,
    "items_unconfirmed": UNCONFIRMED_ITEMS,
    "items": MOST_ITEMS,
    "stages": STAGES_AT_MOST,
}


def add_routes(router: APIRouter, desk: Desk, version: str) -> None:
    """On paths below the router's prefix. `version`: of the tab's files."""
    pings = {backend.spec: backend.ping for backend in desk.session.pool.backends}
    problems = Latest(lambda spec: pings[spec](), _FRESH)

    @router.get("/host", summary="Where the tab is, and which backends answer")
    async def host() -> Response:
        backends = await desk.aside(lambda: _backends(desk, problems))
        about = {"kind": desk.host.kind, "ui": version, "language": desk.host.language, "features": dict(desk.host.features)}
        return JSONResponse({**about, "backends": backends, "limits": _LIMITS})

    parameters = [query("fresh", "boolean", "1: ask the backends now, for files that came meanwhile.")]

    @router.get("/inventory", summary="Names that recipes can use", openapi_extra={"parameters": parameters})
    async def inventory(request: Request) -> Response:
        fresh = flag(request, "fresh")
        return JSONResponse(await desk.patiently(lambda: supplies(desk.session.pool.backends, desk.session.ledger, fresh)))


def _backends(desk: Desk, problems: Latest[str]) -> list[dict[str, Any]]:
    """`reachable` is null where that is not known within a moment."""
    told = []
    for backend in desk.session.pool.backends:
        seen = last_seen(desk.session.ledger, backend.spec)
        problem = problems.get(backend.spec, _PATIENCE)
        about = {"host": seen.identity.host if seen else "", "version": seen.identity.version if seen else ""}
        told.append({"spec": backend.spec, "reachable": None if problem is None else not problem, **about, "problem": problem or ""})
    return told
