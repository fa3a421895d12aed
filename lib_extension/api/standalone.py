"""The routes as an application of their own, for programs that make pictures without any WebUI; `serve` starts it.

    uvicorn --factory lib_extension.api.standalone:make_app

What it is to serve stands in the environment, as a server's own options leave no other way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from lib_extension.api.openapi import tell_recipes
from lib_extension.api.router import make_router
from lib_extension.backend.parse import parse_backend
from lib_extension.session.home import Home
from lib_extension.session.serving import Serving
from lib_extension.session.session import Session


def make_app() -> FastAPI:
    """The application; ending it pauses what runs."""
    serving = Serving.from_environment()
    session = Session(Home(Path(serving.home)), [parse_backend(spec, serving.backend_auth) for spec in serving.backends])

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        session.close()

    app = FastAPI(title="Atelier", lifespan=lifespan)
    app.include_router(make_router(session, serving.credentials))
    tell_recipes(app, session.recipes)
    return app
