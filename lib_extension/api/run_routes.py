"""Routes of one run's doings: deciding its reviews, stopping it, going on, forgetting it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api import file_routes
from lib_extension.api.answers import read_object
from lib_extension.api.desk import Desk
from lib_extension.api.queries import flag, query
from lib_extension.backend.errors import BackendError
from lib_extension.session.told import node_told, review_told, run_told
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field, from_json, json_schema

BRIEF = query("brief", "boolean", "1: numbers by stage in place of all stage instances, and without the recipe.")


@dataclass(frozen=True, kw_only=True)
class Choice(Settings):
    """Which of a review's pictures go on."""

    stage: str = field(help="The review's id in the recipe.")
    pictures: tuple[int | str, ...] = field(help="By number, from 1, or by hash.")
    item: int | None = field(None, help="From 1; needed where the stage waits for several items.")
    resume: bool = field(True, help="Let the run go on.")


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""
    file_routes.add_routes(router, desk)
    _add_choosing(router, desk)
    _add_steering(router, desk)


def _add_choosing(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/runs/{id}/choose",
        summary="Decide a review: pictures by their numbers, from 1, or hashes",
        openapi_extra={
            "requestBody": {"content": {"application/json": {"schema": json_schema(Choice)}}, "required": True},
            "parameters": [BRIEF],
        },
    )
    async def choose(id: str, request: Request) -> Response:
        choice, is_brief = from_json(Choice, await read_object(request), "The choice"), flag(request, "brief")
        return JSONResponse(await desk.aside(lambda: _choose(desk, id, choice, is_brief)))


def _add_steering(router: APIRouter, desk: Desk) -> None:
    runner = desk.session.runner

    def add(word: str, steer: Callable[[str], None], summary: str) -> None:
        async def answer(id: str, request: Request) -> Response:
            is_brief = flag(request, "brief")
            await desk.aside(lambda: (desk.session.ledger.runs.get(id), steer(id)))
            return JSONResponse(await desk.aside(lambda: run_answer(desk, id, is_brief)))

        about: dict[str, Any] = {"summary": summary, "operation_id": f"{word}_run", "openapi_extra": {"parameters": [BRIEF]}}
        router.add_api_route(f"/runs/{{id}}/{word}", answer, methods=["POST"], **about)

    add("cancel", runner.cancel, "Interrupt what is at work, and begin nothing more")
    add("pause", runner.pause, "Finish what is at work, and begin nothing more")
    add("resume", desk.session.start, "Go on")

    retried = {
        "type": "object",
        "properties": {"key": {"type": "string", "description": "Of a stage instance that failed, or was left out."}},
    }

    @router.post(
        "/runs/{id}/retry",
        summary="Try once more what failed: one stage instance, or without a key all",
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": retried}}, "required": False}, "parameters": [BRIEF]},
    )
    async def retry(id: str, request: Request) -> Response:
        key, is_brief = (await read_object(request)).get("key", ""), flag(request, "brief")
        if not isinstance(key, str):
            raise BadRequest("key must be text: the key of a stage instance.")
        await desk.aside(lambda: desk.session.retry(id, key))
        return JSONResponse(await desk.aside(lambda: run_answer(desk, id, is_brief)))

    @router.delete("/runs/{id}", summary="Forget a run that is not at work")
    async def remove(id: str) -> Response:
        await desk.aside(lambda: desk.session.remove(id))
        return JSONResponse({"deleted": id})


def run_answer(desk: Desk, run_id: str, is_brief: bool = False) -> dict[str, Any]:
    """All that is to be said of a run; `is_brief`: as far as it is short."""
    session = desk.session
    session.ledger.settle()
    run = session.ledger.runs.get(run_id)
    if is_brief:
        return session.briefs.of(run)
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


def _choose(desk: Desk, run_id: str, choice: Choice, is_brief: bool) -> dict[str, Any]:
    desk.session.ledger.runs.get(run_id)
    desk.session.choose(run_id, choice.stage, choice.pictures, choice.item)
    if choice.resume:
        desk.session.start(run_id)
    return run_answer(desk, run_id, is_brief)
