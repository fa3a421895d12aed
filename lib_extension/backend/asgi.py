"""How is an ASGI application of this process called, without a network? By an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any

import httpx

Asgi = Any  # an ASGI application: httpx, Starlette and uvicorn each have a type of their own for it


class AsgiTransport(httpx.BaseTransport):
    """A transport for a client that does not know of event loops; any number of threads may use it."""

    def __init__(self, app: Asgi) -> None:
        self._inner = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="atelier-asgi", daemon=True)
        self._thread.start()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange. Raises httpx.ReadTimeout after the request's own time, and httpx.ConnectError when the transport is closed."""
        if self._loop.is_closed():
            raise httpx.ConnectError("The transport is closed.", request=request)
        request.read()
        seconds = request.extensions.get("timeout", {}).get("read")
        return self._run(asyncio.wait_for(self._exchange(request), seconds), request)

    def close(self) -> None:
        """End the thread; calls that are on their way fail."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._end_tasks()
            self._loop.close()

    def _run(self, exchange: Coroutine[Any, Any, httpx.Response], request: httpx.Request) -> httpx.Response:
        try:
            return asyncio.run_coroutine_threadsafe(exchange, self._loop).result()
        except asyncio.TimeoutError as error:
            raise httpx.ReadTimeout("The application did not answer in time.", request=request) from error
        except CancelledError as error:
            raise httpx.ReadError("The transport was closed meanwhile.", request=request) from error
        except RuntimeError as error:
            exchange.close()
            raise httpx.ConnectError("The transport is closed.", request=request) from error

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        asked = httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        answer = await self._inner.handle_async_request(asked)
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        body = b"".join([part async for part in answer.stream])
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body))

    def _end_tasks(self) -> None:
        """Whoever waits for an answer is told."""
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.wait(tasks))
