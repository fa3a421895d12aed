"""Routes of runs: which there are, how far one is, deciding its reviews, stopping it and going on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api import file_routes
from lib_extension.api.answers import read_object
from lib_extension.api.desk import Desk
from lib_extension.backend.errors import BackendError
from lib_extension.session.told import node_told, review_told, run_told
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field, from_json, json_schema

_MOST = 1000


@dataclass(frozen=True, kw_only=True)
class Choice(Settings):
    """Which of a review's pictures go on."""

    stage: str = field(help="The review's id in the recipe.")
    pictures: tuple[int | str, ...] = field(help="By number, from 1, or by hash.")
    item: int | None = field(None, help="From 1; needed where the stage waits for several items.")
    resume: bool = field(True, help="Let the run go on.")


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""
    _add_reading(router, desk)
    file_routes.add_routes(router, desk)
    _add_choosing(router, desk)
    _add_steering(router, desk)


def _add_reading(router: APIRouter, desk: Desk) -> None:
    @router.get(
        "/runs", summary="Runs, the newest first", openapi_extra={"parameters": [_query("recipe", "string"), _query("limit", "integer")]}
    )
    async def runs(request: Request) -> Response:
        recipe, limit = request.query_params.get("recipe", ""), _number(request, "limit", 100, _MOST)
        return JSONResponse(await desk.aside(lambda: _listed(desk, recipe, limit)))

    @router.get("/runs/{id}", summary="A run, its stages, and the choices that it waits for")
    async def run(id: str) -> Response:
        return JSONResponse(await desk.aside(lambda: run_answer(desk, id)))


def _add_choosing(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/runs/{id}/choose",
        summary="Decide a review: pictures by their numbers, from 1, or hashes",
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": json_schema(Choice)}}, "required": True}},
    )
    async def choose(id: str, request: Request) -> Response:
        choice = from_json(Choice, await read_object(request), "The choice")
        return JSONResponse(await desk.aside(lambda: _choose(desk, id, choice)))


def _add_steering(router: APIRouter, desk: Desk) -> None:
    runner = desk.session.runner

    def add(word: str, steer: Callable[[str], None], summary: str) -> None:
        async def answer(id: str) -> Response:
            await desk.aside(lambda: (desk.session.ledger.runs.get(id), steer(id)))
            return JSONResponse(await desk.aside(lambda: run_answer(desk, id)))

        router.add_api_route(f"/runs/{{id}}/{word}", answer, methods=["POST"], summary=summary, operation_id=f"{word}_run")

    add("cancel", runner.cancel, "Interrupt what is at work, and begin nothing more")
    add("pause", runner.pause, "Finish what is at work, and begin nothing more")
    add("resume", desk.session.start, "Go on")

    @router.delete("/runs/{id}", summary="Forget a run that is not at work")
    async def remove(id: str) -> Response:
        await desk.aside(lambda: desk.session.remove(id))
        return JSONResponse({"deleted": id})


def run_answer(desk: Desk, run_id: str) -> dict[str, Any]:
    """All that is to be said of a run."""
    session = desk.session
    session.ledger.settle()
    run = session.ledger.runs.get(run_id)
    progress = None
    if run.state == "running":
        try:
            progress = session.runner.progress(run_id)
        except BackendError:
            pass  # a run of another process, whose backends are not reached from here
    return run_told(run, progress) | {
        "recipe": run.recipe,
        "values": dict(run.values),
        "inputs": dict(run.pictures),
        "stages": [node_told(node) for node in session.ledger.nodes(run_id)],
        "reviews": [review_told(review) for review in session.reviews(run_id)] if run.state in ("waiting", "running") else [],
    }


def _listed(desk: Desk, recipe: str, limit: int) -> list[dict[str, Any]]:
    desk.session.ledger.settle()
    return [run_told(run) for run in desk.session.ledger.runs.all(recipe, limit)]


def _choose(desk: Desk, run_id: str, choice: Choice) -> dict[str, Any]:
    desk.session.ledger.runs.get(run_id)
    desk.session.choose(run_id, choice.stage, choice.pictures, choice.item)
    if choice.resume:
        desk.session.start(run_id)
    return run_answer(desk, run_id)


def _query(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": {"type": kind}}


def _number(request: Request, name: str, otherwise: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return otherwise
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= most:
        raise BadRequest(f"{name} must be a number from 1 to {most}.")
    return int(text)
