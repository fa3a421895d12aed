"""Makes packages `modules.*` with the names and shapes that the extension uses of a WebUI's, over the WebUI that draws noise.

Its Api adds the same routes to the application that it is given, asks for the pair of --api-auth, and answers in worker threads.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from tests.backend.misbehaving import Misbehaving

BUILT: list[Any] = []  # Apis that were made


def install(webui: Misbehaving, *, api_auth: str | None = None, version: str = "v1.10.1") -> None:
    """Into sys.modules."""

    class Api:
        def __init__(self, app: FastAPI, queue_lock: Any) -> None:
            assert queue_lock is queue.queue_lock
            assert threading.current_thread() is not threading.main_thread()
            BUILT.append(self)
            for path in [*webui.lists, "/sdapi/v1/progress"]:
                if path.startswith("/sdapi/") and not path.endswith("loras"):
                    app.add_api_route(path, self.answer, methods=["GET"])
            for name in ("txt2img", "img2img", "options", "interrupt", "extra-single-image", "refresh-checkpoints", "refresh-vae"):
                app.add_api_route(f"/sdapi/v1/{name}", self.answer, methods=["POST"])

        async def answer(self, request: Request) -> JSONResponse:
            found = await answered(request, api_auth)
            if webui.host == "forge" and found.status_code == 500:
                raise Failure(json.loads(bytes(found.body)))  # for the application's own handler: Forge's Api has none
            return found

    async def answered(request: Request, password: str | None = None) -> JSONResponse:
        webui.password = (password or "").split(",")[0]
        body = await request.json() if await request.body() else {}
        status, answer = await asyncio.to_thread(webui.answer, request.method, request.url.path, body, request.headers)
        return JSONResponse(answer, status)

    def setup_progress_api(app: FastAPI) -> None:
        app.add_api_route("/internal/progress", open_route, methods=["POST"])

    async def open_route(request: Request) -> JSONResponse:
        return await answered(request)

    def git_tag() -> str:
        return version

    queue = module("modules.call_queue", queue_lock=threading.Lock())
    module("modules.api")
    module("modules.api.api", Api=Api)
    module("modules.progress", setup_progress_api=setup_progress_api)
    module("modules.shared_cmd_options", cmd_opts=SimpleNamespace(api_auth=api_auth))
    module("modules", launch_utils=module("modules.launch_utils", git_tag=git_tag))


class Failure(Exception):
    """Of a route; told as vars() has it."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__(told.get("message", ""))
        self.body = told.get("body")


def own_application(webui: Misbehaving, *, with_api: bool) -> FastAPI:
    """What on_app_started is given: routes of extensions, and those of the Api where it was started with --api."""
    app = FastAPI()
    extensions = add_extensions(app, webui)
    if with_api:
        app.add_api_route("/sdapi/v1/txt2img", extensions, methods=["POST"])
        app.add_api_route("/sdapi/v1/{name}", extensions, methods=["GET", "POST"])
        app.add_api_route("/internal/progress", extensions, methods=["POST"])
    return app


def add_extensions(app: FastAPI, webui: Misbehaving) -> Callable[[Request], Awaitable[JSONResponse]]:
    """The routes that extensions of the WebUI add to its application, and what answers them."""

    async def extensions(request: Request) -> JSONResponse:
        webui.password = ""
        body = await request.json() if await request.body() else {}
        status, answer = webui.answer(request.method, request.url.path, body, request.headers)
        return JSONResponse(answer, status)

    app.add_api_route("/controlnet/{name}", extensions, methods=["GET", "POST"])
    app.add_api_route("/sdapi/v1/loras", extensions, methods=["GET"])
    app.add_api_route("/sdapi/v1/refresh-loras", extensions, methods=["POST"])
    return extensions


def module(name: str, **members: Any) -> ModuleType:
    """One module, importable from now on."""
    made = ModuleType(name)
    made.__path__ = []  # type: ignore[attr-defined]
    vars(made).update(members)
    sys.modules[name] = made
    return made
