"""GET progress, POST interrupt and skip, and the page's own /internal routes. None of them ever waits for work."""

from __future__ import annotations

import base64
import io
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter
from PIL import Image

from lib_extension.engine.server import Here, Server


def add_routes(routes: APIRouter) -> None:
    routes.add_api_route("/sdapi/v1/progress", progress, methods=["GET"])
    routes.add_api_route("/sdapi/v1/interrupt", interrupt, methods=["POST"])
    routes.add_api_route("/sdapi/v1/skip", skip, methods=["POST"])
    routes.add_api_route("/internal/progress", task_progress, methods=["POST"])
    routes.add_api_route("/internal/pending-tasks", pending_tasks, methods=["GET"])
    routes.add_api_route("/internal/ping", ping, methods=["GET"])


@dataclass(frozen=True)
class TaskQuery:
    """Body of POST /internal/progress. `id_live_preview` is the last preview that the client has."""

    id_task: str | None = None
    id_live_preview: int = -1
    live_preview: bool = True


async def progress(server: Here, skip_current_image: bool = False) -> dict[str, Any]:
    now = server.engine.progress.snapshot()
    running = now.state.job_count > 0
    share = min(0.01 + now.progress, 1.0) if running else 0.0
    image = None if skip_current_image else await server.aside(server.engine.progress.preview)
    return {
        "progress": share,
        "eta_relative": now.elapsed / share - now.elapsed if running else 0.0,
        "state": asdict(now.state),
        "current_image": await server.aside(lambda: _base64(image)) if image else None,
        "textinfo": None,
    }


async def interrupt(server: Here) -> dict[str, Any]:
    server.engine.progress.interrupt()
    return {}


async def skip(server: Here) -> None:
    server.engine.progress.skip()


async def task_progress(body: TaskQuery, server: Here) -> dict[str, Any]:
    id = body.id_task or ""
    state = server.queue.state_of(id)
    answer = {
        "active": state == "active",
        "queued": state == "queued",
        "completed": state == "completed",
        "progress": None,
        "eta": None,
        "live_preview": None,
        "id_live_preview": -1,
        "textinfo": None,
    }
    if state == "active":
        return answer | await _active(body, server)
    return answer | {"textinfo": _place_in_line(id, server) if state == "queued" else "Waiting..."}


async def pending_tasks(server: Here) -> dict[str, Any]:
    tasks = server.queue.waiting()
    return {"size": len(tasks), "tasks": tasks}


async def ping() -> dict[str, Any]:
    return {}


async def _active(body: TaskQuery, server: Server) -> dict[str, Any]:
    now = server.engine.progress.snapshot()
    if now.task_id != body.id_task:  # It has its turn, and has not begun to sample.
        return {"progress": 0.0}
    answer: dict[str, Any] = {"progress": now.progress, "eta": now.eta, "id_live_preview": body.id_live_preview}
    wanted = body.live_preview and server.options["live_previews_enable"] and now.preview_id != body.id_live_preview
    image = await server.aside(server.engine.progress.preview) if wanted else None
    if image is not None:
        picture = await server.aside(lambda: _base64(image))
        answer |= {"live_preview": f"data:image/png;base64,{picture}", "id_live_preview": now.preview_id}
    return answer


def _place_in_line(id: str, server: Server) -> str:
    waiting = server.queue.waiting()
    place = waiting.index(id) + 1 if id in waiting else 1
    return f"In queue: {place}/{max(len(waiting), 1)}"


def _base64(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return base64.b64encode(file.getvalue()).decode("ascii")
