"""How is the WebUI that this runs in asked for pictures, with or without --api?

Without --api the WebUI makes no /sdapi routes, but its Api class is there: it is built once over an application that no port serves.
"""

from __future__ import annotations

import threading
from typing import Any

from lib_extension.backend.asgi import Asgi, AsgiTransport
from lib_extension.backend.connection import Auth, Connect, Connection

NAME = "this WebUI"
BASE = "http://webui"  # any address: nothing is sent there
_EXTENSIONS_ROUTES = ("/controlnet/", "/sdapi/v1/loras", "/sdapi/v1/refresh-loras")  # on the WebUI's own application, even without --api
_API_ROUTE = "/sdapi/v1/txt2img"


def this_webui(app: Asgi) -> Connect:
    """What parse_backend takes as `webui`; `app` is the application that on_app_started was given. Made anew after "Reload UI"."""
    routed = _Routed(app)
    return lambda: Connection(BASE, AsgiTransport(routed), _credentials(), name=NAME, version=_version())


class _Routed:
    """An ASGI application: the WebUI's own where it has the routes, and a private one for the others."""

    def __init__(self, app: Asgi) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._private: Asgi | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        app = self._app if self._is_served(scope["path"]) else self._private_app()
        await app(scope, receive, send)

    def _is_served(self, path: str) -> bool:
        return path.startswith(_EXTENSIONS_ROUTES) or any(getattr(route, "path", "") == _API_ROUTE for route in self._app.routes)

    def _private_app(self) -> Asgi:
        """Built when it is first needed, as that takes a second and all scripts must be loaded; each time would run their ui() again."""
        with self._lock:
            if self._private is None:
                self._private = _make_private_app()
            return self._private


def _make_private_app() -> Asgi:
    from fastapi import FastAPI
    from modules.api.api import Api  # pyright: ignore[reportMissingImports]
    from modules.call_queue import queue_lock  # pyright: ignore[reportMissingImports]
    from modules.progress import setup_progress_api  # pyright: ignore[reportMissingImports]

    app = FastAPI(exception_handlers={Exception: _failure})  # Api brings its own where the WebUI's page does not have it
    Api(app, queue_lock)
    setup_progress_api(app)
    return app


def _failure(request: Any, error: Exception) -> Any:
    """What goes wrong is told as over HTTP, with all that the exception says: Forge tells its flags in no other way."""
    from fastapi.encoders import jsonable_encoder
    from fastapi.responses import JSONResponse

    told = vars(error)
    content = {"error": type(error).__name__, "detail": told.get("detail", ""), "body": told.get("body", ""), "message": str(error)}
    return JSONResponse(jsonable_encoder(content), status_code=500)


def _credentials() -> Auth | None:
    """The first pair of --api-auth, which the private Api asks for as well."""
    from modules.shared_cmd_options import cmd_opts  # pyright: ignore[reportMissingImports]

    told = str(getattr(cmd_opts, "api_auth", None) or "")
    user, separator, password = told.split(",")[0].partition(":")
    return (user.strip(), password.strip()) if separator else None


def _version() -> str:
    """As infotexts have it; '' for a copy without git, whose version is found by probing."""
    from modules import launch_utils  # pyright: ignore[reportMissingImports]

    tag = str(launch_utils.git_tag())
    return "" if tag.startswith("<") else tag
