"""What is a request answered that still waits when the server ends?"""

from __future__ import annotations

import asyncio
import json

import httpx
from fastapi import APIRouter, FastAPI, Response

from lib_extension.api.answers import guarded_route
from lib_extension.api.guard import Guard


def test_a_request_that_waits_when_the_server_ends_is_told_so():
    async def ended() -> httpx.Response:
        router = APIRouter(route_class=guarded_route(Guard(())))
        begun = asyncio.Event()

        @router.get("/waits")
        async def waits() -> Response:
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError

        app = FastAPI()
        app.include_router(router)
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            asked = asyncio.create_task(client.get("/waits"))
            await begun.wait()
            asked.cancel()  # as the server does with what it serves
            return await asked

    answer = asyncio.run(ended())
    assert answer.status_code == 503
    assert json.loads(answer.content) == {"error": "Unreachable", "detail": "Atelier is being ended."}
