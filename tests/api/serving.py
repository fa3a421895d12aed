"""The routes as a host serves them: a FastAPI application with gzip, by a real server, over a stub backend."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from lib_extension.api.openapi import tell_recipes
from lib_extension.api.router import make_router
from lib_extension.backend.parse import parse_backend
from lib_extension.jobs import jobs_at
from lib_extension.session.home import Home
from lib_extension.session.recipes import Recipes
from lib_extension.session.session import Session

RECIPE = """
version: 1
name: tiny
title: A thing in a place
inputs:
  thing: {type: text, label: Thing, default: watch}
  look: {type: choice, choices: [day, night], default: day}
  strength: {type: number, minimum: 0, maximum: 1, default: 0.4}
  drawing: {type: image, optional: true}
settings: {steps: 4, sampler_name: Euler, scheduler: Automatic, width: 64, height: 64, seed: 7}
stages:
  - {id: base, type: txt2img, prompt: "a {thing} by {look}", batch_size: 2}
  - {id: pick, type: review, takes: base}
  - {id: refine, type: img2img, takes: pick, denoising_strength: "{strength}"}
"""


@dataclass
class Served:
    """A running server."""

    url: str
    client: httpx.Client
    session: Session
    app: FastAPI

    def json(self, method: str, path: str, status: int = 200, **more: object) -> object:
        """The answer's value; another status fails the test with what was said."""
        answer = self.client.request(method, f"/atelier/v1{path}", **more)  # pyright: ignore[reportArgumentType]
        assert answer.status_code == status, answer.text[:500]
        return answer.json()

    def ended(self, run_id: str, *states: str) -> dict[str, object]:
        """The run, when it has come to one of the states."""
        deadline = time.monotonic() + 30
        while True:
            told = self.json("GET", f"/runs/{run_id}")
            assert isinstance(told, dict)
            if told["state"] in states:
                return told
            assert time.monotonic() < deadline, told
            time.sleep(0.02)


def _nothing_is_downloaded(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Routes that make, update and remove the worker's environment are asked as well: not the checkout's own, and from no index."""
    index = "http://127.0.0.1:9/simple"
    settings = {"ATELIER_WORKER": str(folder / "worker"), "PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": index}
    settings |= {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_RETRIES": "0"}
    for name, value in settings.items():
        patch.setenv(name, value)


@contextmanager
def served(folder: Path, backend: str, credentials: Sequence[str] = ()) -> Iterator[Served]:
    """A server over a home in `folder`, with the recipe above as the only built-in one."""
    with pytest.MonkeyPatch.context() as patch:
        _nothing_is_downloaded(patch, folder)
        yield from _served(folder, backend, credentials)


def _served(folder: Path, backend: str, credentials: Sequence[str]) -> Iterator[Served]:
    built_in = folder / "built-in"
    built_in.mkdir(parents=True, exist_ok=True)
    (built_in / "tiny.yaml").write_text(RECIPE)
    home = Home(folder / "home")
    session = Session(home, [parse_backend(backend)], recipes=Recipes(home.recipes, built_in))
    app = FastAPI()
    app.add_middleware(GZipMiddleware, minimum_size=1)
    app.include_router(make_router(session, credentials))
    tell_recipes(app, session.recipes)
    # asyncio sends at once, without waiting for acknowledgements, only over sockets that name their protocol.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        auth = tuple(credentials[0].split(":")) if credentials else None
        try:
            while not server.started:
                time.sleep(0.01)
            with httpx.Client(base_url=url, timeout=30, trust_env=False, auth=auth) as client:  # pyright: ignore[reportArgumentType]
                yield Served(url, client, session, app)
        finally:
            server.should_exit = True
            server.force_exit = True
            thread.join(10)
            jobs_at(home.jobs).close()
            session.close()
