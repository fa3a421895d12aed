"""The route of a run's events as they happen: server-sent events, from any point on.

`Content-Encoding: identity` keeps a host's gzip from holding them back until the end. Closing the connection leaves the run alone.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from lib_extension.api.desk import Desk
from lib_extension.runs.records import ENDED, Event
from lib_extension.session.told import event_told
from lib_extension.spec.errors import BadRequest

_LOOK = 0.2  # seconds between two looks into the ledger
HEARTBEAT = 10.0  # seconds of silence after which a comment keeps proxies and clients from giving up
_HEADERS = {"Content-Encoding": "identity", "Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
_PARAMETERS = [
    {
        "name": "after",
        "in": "query",
        "required": False,
        "schema": {"type": "integer"},
        "description": "The id of the last event that is known.",
    },
    {
        "name": "Last-Event-ID",
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
        "description": "The same, as browsers send it.",
    },
]


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""

    @router.get(
        "/runs/{id}/events",
        summary="What happens in a run, as server-sent events; ends when the run has ended",
        openapi_extra={"parameters": _PARAMETERS, "responses": {"200": {"description": "Events", "content": {"text/event-stream": {}}}}},
    )
    async def events(id: str, request: Request) -> Response:
        last = _last(request)
        await desk.aside(lambda: desk.session.ledger.runs.get(id))
        return StreamingResponse(_stream(desk, id, last), media_type="text/event-stream", headers=_HEADERS)


async def _stream(desk: Desk, run_id: str, last: int) -> AsyncIterator[str]:
    spoke = time.monotonic()
    yield "retry: 2000\n\n"
    while True:  # until the server, seeing that the client has left, ends it
        after = last
        found = await desk.aside(lambda: desk.session.ledger.events.after(run_id, after))  # noqa: B023 (awaited here)
        for event in found:
            last = event.id
            yield _written(event)
        if found:
            spoke = time.monotonic()
            if found[-1].kind == "state" and found[-1].data["state"] in ENDED:
                return
            continue
        if time.monotonic() - spoke >= HEARTBEAT:
            spoke = time.monotonic()
            yield ": still here\n\n"
            await desk.aside(desk.session.ledger.settle)  # whoever carried it out may have been killed
        await asyncio.sleep(_LOOK)


def _written(event: Event) -> str:
    return f"id: {event.id}\nevent: {event.kind}\ndata: {json.dumps(event_told(event), ensure_ascii=True)}\n\n"


def _last(request: Request) -> int:
    text = request.query_params.get("after") or request.headers.get("last-event-id") or "0"
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise BadRequest("The last event's id must be a number.")
    return int(text)
