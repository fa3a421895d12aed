"""How do the routes become one server?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from lib_extension.engine.answers import add_error_answers
from lib_extension.engine.bodies import EngineRoute
from lib_extension.engine.guard import LOOPBACK, Guard, Rules
from lib_extension.engine.routes import controlnet, extras, generate, identity, listing, networks, progress, settings
from lib_extension.engine.server import Server

GROUPS = (generate, extras, progress, settings, listing, controlnet, networks, identity)


def make_app(server: Server) -> FastAPI:
    """The ASGI app. Closing it (its lifespan) closes the server."""
    app = FastAPI(title="Atelier engine", version="1.10.1", lifespan=_lifespan, strict_content_type=False)
    app.state.server = server
    add_error_answers(app)
    routes = APIRouter(route_class=EngineRoute)
    for group in GROUPS:
        group.add_routes(routes)
    app.include_router(routes)
    serving = server.serving
    rules = Rules(serving.credentials, serving.lenient, loopback_only=serving.host in LOOPBACK)
    app.add_middleware(Guard, rules=rules)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.server.close()
