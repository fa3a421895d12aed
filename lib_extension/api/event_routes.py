"""The route of a run's events as they happen: server-sent events, from any point on, never more than a page can take.

`Content-Encoding: identity` keeps a host's gzip from holding them back until the end. Closing the connection leaves the run alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from lib_extension.api.coalescing import RATE, coalesced, written
from lib_extension.api.desk import Desk
from lib_extension.api.queries import flag, query
from lib_extension.runs.records import ENDED, Event
from lib_extension.spec.errors import BadRequest

_LOOK = 0.2  # seconds between two looks into the ledger
_AT_ONCE = 1000  # events
HEARTBEAT = 10.0  # seconds of silence after which a comment keeps proxies and clients from giving up
EVENT_HEADERS = {"Content-Encoding": "identity", "Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
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
    query("every", "boolean", "1: each event, however many. Otherwise many at once come as one of the kind progress, with their numbers."),
]


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""

    @router.get(
        "/runs/{id}/events",
        summary="What happens in a run, as server-sent events; ends when the run has ended",
        openapi_extra={"parameters": _PARAMETERS, "responses": {"200": {"description": "Events", "content": {"text/event-stream": {}}}}},
    )
    async def events(id: str, request: Request) -> Response:
        last, is_every = _last(request), flag(request, "every")
        await desk.aside(lambda: desk.session.ledger.runs.get(id))
        return StreamingResponse(_stream(desk, id, last, is_every), media_type="text/event-stream", headers=EVENT_HEADERS)


async def _stream(desk: Desk, run_id: str, last: int, is_every: bool) -> AsyncIterator[str]:
    spoke = time.monotonic()
    yield "retry: 2000\n\n"
    while True:  # until the server, seeing that the client has left, ends it
        after, sent = last, 0
        found = await desk.aside(lambda: _news(desk, run_id, after, is_every))  # noqa: B023 (awaited here)
        for event in found:
            last = event.id
            told = written(event)
            sent += len(told)
            yield told
        if found and found[-1].kind == "state" and found[-1].data["state"] in ENDED:
            return
        if sent:
            spoke = time.monotonic()
        elif time.monotonic() - spoke >= HEARTBEAT:
            spoke = time.monotonic()
            yield ": still here\n\n"
            await desk.aside(desk.session.ledger.settle)  # whoever carried it out may have been killed
        await asyncio.sleep(_LOOK if is_every else max(_LOOK, sent / RATE))


def _news(desk: Desk, run_id: str, last: int, is_every: bool) -> list[Event]:
    """What is new; if not `is_every`, all of it, as short as it needs to be."""
    events = desk.session.ledger.events
    if is_every:
        return events.after(run_id, last, _AT_ONCE)
    return coalesced(events.after(run_id, last, limit=-1))


def _last(request: Request) -> int:
    text = request.query_params.get("after") or request.headers.get("last-event-id") or "0"
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise BadRequest("The last event's id must be a number.")
    return int(text)
