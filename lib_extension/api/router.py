"""How do the routes become one router, for whatever FastAPI application there is?

    app.include_router(make_router(session, credentials=["user:password"]))
    tell_recipes(app, session.recipes)

Works with FastAPI from 0.94 on, and so with pydantic 1 and 2: bodies are read here, by the recipes' own declarations.
"""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter

from lib_extension.api import (
    archive_routes,
    class_routes,
    dataset_routes,
    disk_routes,
    draft_routes,
    event_routes,
    host_routes,
    job_routes,
    mask_routes,
    merging_routes,
    model_routes,
    picture_routes,
    plan_routes,
    recipe_routes,
    run_routes,
    text_routes,
    thumbnail_routes,
    training_routes,
    ui_routes,
    view_routes,
    word_routes,
    worker_routes,
)
from lib_extension.api.answers import guarded_route
from lib_extension.api.desk import Desk, HostFacts
from lib_extension.api.guard import Login
from lib_extension.api.ui_files import UiFiles
from lib_extension.session.session import Session
from lib_extension.spec.errors import NotFound

PREFIX = "/atelier/v1"
_STANDALONE = HostFacts()
_TEXT = {"type": "string"}
_REFUSALS = {
    "description": "What was wrong, and what to do.",
    "content": {"application/json": {"schema": {"type": "object", "properties": {"error": _TEXT, "detail": _TEXT}}}},
}
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def make_router(
    session: Session,
    credentials: Iterable[str] = (),
    host: HostFacts = _STANDALONE,
    files: UiFiles | None = None,
    login: Login | None = None,
) -> APIRouter:
    """The routes over a session, which outlives them. `credentials`: the host's "user:password" texts; `login`: that of its page."""
    desk = Desk(session, credentials, host, login)
    files = files or UiFiles()
    router = APIRouter(prefix=PREFIX, route_class=guarded_route(desk.guard), tags=["atelier"], responses={"4XX": _REFUSALS})
    for group in (
        recipe_routes,
        plan_routes,
        draft_routes,
        text_routes,
        mask_routes,
        disk_routes,
        view_routes,
        run_routes,
        archive_routes,
        event_routes,
        picture_routes,
        thumbnail_routes,
        word_routes,
        job_routes,
        worker_routes,
        training_routes,
        class_routes,
        dataset_routes,
        merging_routes,
        model_routes,
    ):
        group.add_routes(router, desk)
    host_routes.add_routes(router, desk, files.version)
    ui_routes.add_routes(router, desk, files)

    async def nothing_here() -> None:
        raise NotFound("There is no such route, or not by this method; /openapi.json lists them.")

    router.add_api_route("/{path:path}", nothing_here, methods=_METHODS, include_in_schema=False)
    return router
