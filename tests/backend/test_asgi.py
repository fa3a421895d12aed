"""Does a transport without a network behave as one with it?"""

from __future__ import annotations

import asyncio
import gzip
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from lib_extension.backend.asgi import AsgiTransport


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what it was sent."""
    message = await receive()
    if scope["path"] == "/broken":
        raise RuntimeError("broken")
    if scope["path"] == "/slow":
        await asyncio.sleep(5)
    body, headers = message["body"], []
    if scope["path"] == "/zipped":
        body, headers = gzip.compress(body), [(b"content-encoding", b"gzip")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for part in (body[:3], body[3:]):
        await send({"type": "http.response.body", "body": part, "more_body": part is not body[3:]})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("path", ["/", "/zipped"])
def test_bodies_go_there_and_back_from_many_threads(path: str) -> None:
    with httpx.Client(transport=AsgiTransport(app), base_url="http://here") as client, ThreadPoolExecutor(8) as threads:
        texts = [f"a body of {number}" for number in range(64)]
        assert [answer.text for answer in threads.map(lambda text: client.post(path, content=text), texts)] == texts


def test_an_error_of_the_application_is_a_500() -> None:
    with httpx.Client(transport=AsgiTransport(app), base_url="http://here") as client:
        assert client.get("/broken").status_code == 500


def test_time_runs_out() -> None:
    with httpx.Client(transport=AsgiTransport(app), base_url="http://here", timeout=0.1) as client, pytest.raises(httpx.ReadTimeout):
        client.get("/slow")


def test_a_closed_transport_lets_nobody_wait() -> None:
    transport = AsgiTransport(app)
    client = httpx.Client(transport=transport, base_url="http://here", timeout=None)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(client.get, "/slow")
        with pytest.raises(TimeoutError):
            waiting.result(0.2)
        transport.close()
        with pytest.raises(httpx.ReadError):
            waiting.result(2)
    with pytest.raises(httpx.ConnectError):
        client.get("/")
