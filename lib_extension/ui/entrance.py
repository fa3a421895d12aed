"""How do our routes get into the WebUI without delaying its start? One route takes all, and makes them at the first request."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from lib_extension.api.ui_files import UiFiles
from lib_extension.host import facts, options
from lib_extension.ui.residence import Residence

PREFIX = "/atelier/v1"


class Entrance(BaseRoute):
    """Everything below PREFIX. What answers is made once, in a thread: importing it and opening the ledger takes half a second."""

    def __init__(self, residence: Residence, files: UiFiles, app: Any) -> None:
        self._residence = residence
        self._files = files
        self._login = facts.login(app)
        self._lock = threading.Lock()
        self._inner: Any = None

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whatever it is that is asked for there."""
        path = _path(scope) if scope["type"] == "http" else ""
        return (Match.FULL if path == PREFIX or path.startswith(f"{PREFIX}/") else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The answer, as the routes themselves give it; what keeps them from being there is told in the same form."""
        from lib_extension.api.answers import error_answer

        try:
            inner = self._inner or await asyncio.to_thread(self._make)
        except Exception as error:  # the top: whatever it was, the page gets JSON
            inner = error_answer(error)
        await inner({**scope, "path": _path(scope), "root_path": ""}, receive, send)

    def url_path_for(self, *names: Any, **parameters: Any) -> Any:
        """None of our addresses has a name."""
        from starlette.routing import NoMatchFound

        raise NoMatchFound(str(names[0] if names else ""), parameters)

    def _make(self) -> Any:
        from fastapi import FastAPI

        from lib_extension.api.desk import HostFacts
        from lib_extension.api.router import make_router

        with self._lock:
            if self._inner is None:
                host = HostFacts(facts.kind(), options.language(), {"send_to": True, "settings_page": True}, facts.named_folders())
                router = make_router(self._residence.session(), facts.credentials(), host, self._files, self._login)
                inner = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
                inner.include_router(router)
                self._inner = inner
            return self._inner


def _path(scope: Scope) -> str:
    """Without what --subpath put before it: newer servers do so, and older frameworks do not expect it."""
    path, root = scope["path"], scope.get("root_path", "").rstrip("/")
    return path[len(root) :] if root and path.startswith(f"{root}{PREFIX}") else path
