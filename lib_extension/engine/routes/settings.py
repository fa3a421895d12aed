"""Options, flags and memory; loading and unloading the checkpoint."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import torch
from fastapi import APIRouter

from lib_extension.engine.answers import WebuiAnswer
from lib_extension.engine.options import UnknownOption, defaults
from lib_extension.engine.server import Here, Server
from lib_extension.spec.errors import NotFound

FLAGS_FILE = Path(__file__).parents[1] / "webui_flags.json"


def add_routes(routes: APIRouter) -> None:
    routes.add_api_route("/sdapi/v1/options", get_options, methods=["GET"])
    routes.add_api_route("/sdapi/v1/options", set_options, methods=["POST"])
    routes.add_api_route("/sdapi/v1/cmd-flags", cmd_flags, methods=["GET"])
    routes.add_api_route("/sdapi/v1/memory", memory, methods=["GET"])
    routes.add_api_route("/sdapi/v1/unload-checkpoint", unload_checkpoint, methods=["POST"])
    routes.add_api_route("/sdapi/v1/reload-checkpoint", reload_checkpoint, methods=["POST"])


async def get_options(server: Here) -> dict[str, Any]:
    return await server.aside(lambda: _options_now(server))


async def set_options(body: dict[str, Any], server: Here) -> None:
    """Answers at once, or when the checkpoint that the options name is loaded."""
    if server.lenient:
        _fail_as_webui(body)
    checkpoint = body.get("sd_model_checkpoint")
    if checkpoint is None:
        server.options.change(body)
        return
    found = server.library.checkpoint(_text(checkpoint)) if not server.lenient else _checkpoint_as_webui(server, _text(checkpoint))
    changes = {**body, "sd_model_checkpoint": found.title}
    server.options.with_overrides(changes)  # Refuses what is wrong before anything is loaded.

    def load() -> None:
        server.engine.checkpoint(found.title)
        server.options.change({**changes, "sd_model_checkpoint": found.title})

    await server.in_turn_unseen("options", load)


async def cmd_flags(server: Here) -> dict[str, Any]:
    return {**_flags(), **server.serving.flags}


async def memory(server: Here) -> dict[str, Any]:
    return {"ram": _ram(), "cuda": _cuda()}


async def unload_checkpoint(server: Here) -> dict[str, Any]:
    await server.in_turn_unseen("unload", server.engine.unload)
    return {}


async def reload_checkpoint(server: Here) -> dict[str, Any]:
    await server.in_turn_unseen("reload", lambda: server.engine.checkpoint() and None)
    return {}


def _options_now(server: Server) -> dict[str, Any]:
    """The checkpoint by its title, which may have gained a hash since it was set."""
    values = server.options.to_json()
    loaded = server.engine.loaded
    try:
        found = server.library.checkpoint(values["sd_model_checkpoint"]) if values["sd_model_checkpoint"] else None
    except NotFound:
        found = None
    if found is not None:
        values["sd_model_checkpoint"] = found.title
    values["sd_checkpoint_hash"] = loaded.found.sha256 if loaded is not None else ""
    return values


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _checkpoint_as_webui(server: Server, name: str) -> Any:
    try:
        return server.library.checkpoint(name)
    except NotFound:
        raise WebuiAnswer(500, "RuntimeError", errors=f"model {name!r} not found") from None


def _fail_as_webui(body: dict[str, Any]) -> None:
    for name in body:
        if name not in defaults():
            raise WebuiAnswer(500, "KeyError", errors=repr(name)) from UnknownOption(name)


@cache
def _flags() -> dict[str, Any]:
    """The WebUI's command line, with its defaults."""
    return json.loads(FLAGS_FILE.read_text("utf-8"))


def _ram() -> dict[str, Any]:
    """Bytes; `used` is this process's resident memory, as in the WebUI."""
    used = psutil.Process().memory_info().rss
    total = psutil.virtual_memory().total
    return {"free": total - used, "used": used, "total": total}


def _cuda() -> dict[str, Any]:
    if not torch.cuda.is_available():
        return {"error": "unavailable"}
    free, total = torch.cuda.mem_get_info()
    stats = torch.cuda.memory_stats()
    kinds = {"active": "active_bytes", "allocated": "allocated_bytes", "reserved": "reserved_bytes", "inactive": "inactive_split_bytes"}
    answer: dict[str, Any] = {"system": {"free": free, "used": total - free, "total": total}}
    for name, stat in kinds.items():
        answer[name] = {"current": stats.get(f"{stat}.all.current", 0), "peak": stats.get(f"{stat}.all.peak", 0)}
    answer["events"] = {"retries": stats.get("num_alloc_retries", 0), "oom": stats.get("num_ooms", 0)}
    return answer
