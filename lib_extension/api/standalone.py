"""The tab and its routes as an application of their own, without any WebUI; `serve` starts it.

    uvicorn --factory lib_extension.api.standalone:make_app

What it is to serve stands in the environment, as a server's own options leave no other way.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI

from lib_extension.api.openapi import tell_recipes
from lib_extension.api.page import make_page
from lib_extension.api.router import make_router
from lib_extension.api.ui_files import UiFiles
from lib_extension.backend.parse import parse_backend
from lib_extension.jobs.jobs import jobs_at
from lib_extension.session.home import Home
from lib_extension.session.serving import Serving
from lib_extension.session.session import Session

_PATIENCE = 60.0  # seconds


def make_app() -> FastAPI:
    """The application; ending it pauses what runs."""
    serving = Serving.from_environment()
    session = Session(Home(Path(serving.home)), [parse_backend(spec, serving.backend_auth) for spec in serving.backends])
    files = UiFiles()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if serving.address:
            threading.Thread(target=_announce, args=(serving,), name="announce", daemon=True).start()
        yield
        jobs_at(session.home.jobs).close()
        session.close()

    app = FastAPI(title="Atelier", lifespan=lifespan)
    app.include_router(make_router(session, serving.credentials, files=files))
    app.include_router(make_page(tuple(serving.credentials), files.version))
    tell_recipes(app, session.recipes)
    return app


def _announce(serving: Serving) -> None:
    """Say where the page is, and open it if that was asked for, once the server answers."""
    deadline = time.monotonic() + _PATIENCE
    address = urlsplit(serving.address)
    while True:
        try:
            socket.create_connection((address.hostname or "", address.port or 80), 1).close()
            break
        except OSError:
            if time.monotonic() > deadline:
                return
            time.sleep(0.05)
    sys.stdout.write(f"Atelier is at {serving.address} (Ctrl+C ends it)\n")
    sys.stdout.flush()
    if serving.opens_browser:
        webbrowser.open(serving.address)
