"""Routes of jobs: what worker processes do, did and will do, and what they tell while they do it."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse

from lib_extension.api.answers import read_object
from lib_extension.api.coalescing import RATE
from lib_extension.api.desk import Desk
from lib_extension.api.event_routes import EVENT_HEADERS, HEARTBEAT
from lib_extension.api.queries import query
from lib_extension.jobs.account import Account, Place
from lib_extension.jobs.jobs import Jobs
from lib_extension.jobs.record import ENDED, Job
from lib_extension.spec.errors import BadRequest, NotFound
from lib_extension.spec.settings import json_schema

_LOOK = 0.4  # seconds between two looks at what a program told
_PLACE = re.compile(r"(\d{1,15})-(\d{1,15})")
_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".txt": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}
_NO_SCRIPTS = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # a page of a job is looked at, and can do nothing
_NEW_JOB = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["kind"],
                    "properties": {"kind": {"type": "string"}, "config": {"type": "object"}},
                    "additionalProperties": False,
                }
            }
        },
    }
}
_AFTER = query("after", "string", "The `place` of the last answer, or the last event's id: only what came later.")


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""

    @router.get("/jobs", summary="Jobs, the newest first")
    async def jobs() -> Response:
        return JSONResponse(await desk.aside(lambda: _all(desk.jobs)))

    @router.post("/jobs", status_code=201, summary="Put a job at the end of the queue", openapi_extra=_NEW_JOB)
    async def add(request: Request) -> Response:
        body = await read_object(request)
        kind, config = body.get("kind"), body.get("config", {})
        if not isinstance(kind, str) or not isinstance(config, dict) or body.keys() - {"kind", "config"}:
            raise BadRequest('The body must be {"kind": "…", "config": {…}}.')
        return await added(desk, kind, config)

    @router.get("/jobs/kinds", summary="The schema of each kind of job's config, by the kind's name")
    async def kinds() -> Response:
        return JSONResponse({name: json_schema(kind.settings) for name, kind in desk.jobs.kinds.items()})

    @router.get("/jobs/{id}", summary="A job, and what it has told until now")
    async def job(id: str) -> Response:
        return JSONResponse(await desk.aside(lambda: _one(desk.jobs, id)))

    @router.get(
        "/jobs/{id}/events",
        summary="What a job tells, as server-sent events of the kind news; ends when the job has ended",
        openapi_extra={"parameters": [_AFTER], "responses": {"200": {"description": "Events", "content": {"text/event-stream": {}}}}},
    )
    async def events(id: str, request: Request) -> Response:
        place = _place(request)
        await desk.aside(lambda: desk.jobs.get(id))
        return StreamingResponse(_stream(desk, id, place), media_type="text/event-stream", headers=EVENT_HEADERS)

    @router.post("/jobs/{id}/cancel", summary="End a job, or take it out of the queue")
    async def cancel(id: str) -> Response:
        await desk.aside(lambda: desk.jobs.cancel(id))
        return JSONResponse(await desk.aside(lambda: _one(desk.jobs, id)))

    @router.post("/jobs/{id}/stop", summary="End a job in good order, with what it has saved; a training goes on from there")
    async def stop(id: str) -> Response:
        await desk.aside(lambda: desk.jobs.stop(id))
        return JSONResponse(await desk.aside(lambda: _one(desk.jobs, id)))

    @router.post("/jobs/{id}/pause", summary="Have a training wait, between two steps")
    async def pause(id: str) -> Response:
        await desk.aside(lambda: desk.jobs.pause(id))
        return JSONResponse(await desk.aside(lambda: _one(desk.jobs, id)))

    @router.post("/jobs/{id}/continue", summary="Have a training that waits go on")
    async def go_on(id: str) -> Response:
        await desk.aside(lambda: desk.jobs.pause(id, paused=False))
        return JSONResponse(await desk.aside(lambda: _one(desk.jobs, id)))

    @router.delete("/jobs/{id}", status_code=204, summary="Forget a job that is not at work, with its files")
    async def remove(id: str) -> Response:
        await desk.aside(lambda: desk.jobs.remove(id))
        return Response(status_code=204)

    @router.get("/jobs/{id}/files/{name:path}", summary="A file that a job made, such as a picture")
    async def file(id: str, name: str) -> Response:
        found = await desk.aside(lambda: desk.jobs.file(id, name))
        if found.suffix.lower() not in _TYPES:
            raise NotFound("Only pictures and texts of a job are handed out.")
        headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": _NO_SCRIPTS}
        return FileResponse(found, media_type=_TYPES[found.suffix.lower()], headers=headers)


async def added(desk: Desk, kind: str, config: dict[str, Any]) -> Response:
    """The answer that tells of a new job."""
    job = await desk.aside(lambda: desk.jobs.add(kind, config))
    return JSONResponse(await desk.aside(lambda: _one(desk.jobs, job.id)), 201)


def _all(jobs: Jobs) -> list[dict[str, Any]]:
    found = jobs.all()
    waiting = [job.id for job in found if job.standing.state == "queued"]
    told = [_told(job, waiting) for job in reversed(found)]
    for one in told:
        if one["state"] == "running":
            one["progress"] = jobs.account(one["id"]).progress
    return told


def _one(jobs: Jobs, id: str) -> dict[str, Any]:
    waiting = [job.id for job in jobs.all() if job.standing.state == "queued"]
    account = jobs.account(jobs.get(id).id)
    job = jobs.get(id)
    return {**account.told(), "place": str(account.place), **_told(job, waiting), "config": job.config, "paused": jobs.is_paused(job)}


def _told(job: Job, waiting: list[str]) -> dict[str, Any]:
    """`before`: how many are carried out first, of a job that waits."""
    standing = job.standing
    seconds = (standing.ended or time.time()) - standing.started if standing.started else None
    return {
        "id": job.id,
        "kind": job.kind,
        "title": job.title,
        "state": standing.state,
        "created": job.created,
        "started": standing.started or None,
        "ended": standing.ended or None,
        "seconds": seconds,
        "problem": standing.problem,
        "before": waiting.index(job.id) if job.id in waiting else None,
    }


async def _stream(desk: Desk, id: str, place: Place) -> AsyncIterator[str]:
    spoke = time.monotonic()
    state = ""
    yield "retry: 2000\n\n"
    while True:  # until the server, seeing that the client has left, ends it
        at = place
        job, account, is_new = await desk.aside(lambda: _news(desk.jobs, id, at))  # noqa: B023 (awaited here)
        place = account.place
        sent = 0
        if is_new or job.standing.state != state:
            state = job.standing.state
            told = json.dumps({name: value for name, value in account.told().items() if value} | _told(job, []))
            sent = len(told)
            spoke = time.monotonic()
            yield f"id: {place}\nevent: news\ndata: {told}\n\n"
        elif state in ENDED:
            return
        elif time.monotonic() - spoke >= HEARTBEAT:
            spoke = time.monotonic()
            yield ": still here\n\n"
        await asyncio.sleep(max(_LOOK, sent / RATE))


def _news(jobs: Jobs, id: str, place: Place) -> tuple[Job, Account, bool]:
    """What was told after the place. The state is looked at first, so that nothing follows a state that is an end."""
    job, account = jobs.get(id), Account(place=place)
    return job, account, account.read(jobs.folder(id))


def _place(request: Request) -> Place:
    text = request.query_params.get("after") or request.headers.get("last-event-id") or "0-0"
    found = _PLACE.fullmatch(text)
    if found is None:
        raise BadRequest("The place must be two numbers, such as 120-0.")
    return Place(int(found[1]), int(found[2]))
