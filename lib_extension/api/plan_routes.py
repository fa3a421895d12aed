"""Routes of a recipe that is being edited: what it would do and what is wrong with it, and starting it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.answers import read_object
from lib_extension.api.desk import Desk
from lib_extension.api.run_routes import run_answer
from lib_extension.api.work import SCHEMA, read_work, refusal, told_with_path
from lib_extension.session.plan_summary import calls_of, nodes_to_run, stage_lines
from lib_extension.session.told import Told, finding_told
from lib_extension.spec.errors import AtelierError

_BODY = {"requestBody": {"content": {"application/json": {"schema": SCHEMA}}, "required": True}}


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""

    async def answer(request: Request, do: Callable[[Mapping[str, Any]], Told], status: int = 200) -> Response:
        body = await read_object(request)
        try:
            return JSONResponse(await desk.patiently(lambda: do(body)), status)
        except AtelierError as error:
            return refusal(error, body)

    @router.post("/plan", summary="What a recipe would do, and what is wrong with it", openapi_extra=_BODY)
    async def plan(request: Request) -> Response:
        return await answer(request, lambda body: _plan(desk, body))

    @router.post("/runs", summary="Start a recipe", openapi_extra=_BODY, status_code=201)
    async def start(request: Request) -> Response:
        return await answer(request, lambda body: _start(desk, body), 201)


def _plan(desk: Desk, body: Mapping[str, Any]) -> Told:
    asked = read_work(body, desk)
    outlook = desk.session.outlook(asked)
    left = nodes_to_run(outlook)
    seconds = desk.session.runner.seconds_left(outlook.plan, left)
    return {
        "items": len(outlook.plan.items),
        "calls": calls_of(left),
        "seconds_left": None if seconds is None else round(seconds, 1),
        "stages": [
            {
                "stage": line.stage,
                "type": line.type,
                "cached": line.cached,
                "will_run": line.will_run,
                "waiting": line.waiting,
                "left_out": line.left_out,
                "why": line.reasons,
            }
            for line in stage_lines(asked.whole, outlook)
        ],
        "findings": [told_with_path(finding_told(finding)) for finding in outlook.findings],
    }


def _start(desk: Desk, body: Mapping[str, Any]) -> Told:
    run_id, outlook = desk.session.add(read_work(body, desk))
    desk.session.start(run_id)
    return run_answer(desk, run_id, is_brief=True) | {"findings": [told_with_path(finding_told(finding)) for finding in outlook.findings]}
