"""Routes of a training before it is started: what it begins with, the one that is being prepared, and folders to choose from."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.answers import read_object
from lib_extension.api.desk import Desk
from lib_extension.api.queries import query
from lib_extension.jobs.training import is_inside, lora_folder
from lib_extension.spec.errors import BadRequest, NotFound
from lib_extension.spec.training.presets import PRESETS

_ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"}
_MOST_FOLDERS = 500
_MOST_BYTES = 2**20
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""
    draft = desk.session.home.folder / "training.json"

    @router.get("/training", summary="Presets, where finished LoRAs go, and the training that is being prepared")
    async def training() -> Response:
        return JSONResponse(await desk.aside(lambda: _told(desk, draft)))

    @router.put("/training/draft", summary="Keep the training that is being prepared, whole or not", openapi_extra=_BODY)
    async def keep(request: Request) -> Response:
        body = await read_object(request)
        text = json.dumps(body)
        if len(text) > _MOST_BYTES:
            raise BadRequest("That is more than a training's settings are.")
        await desk.aside(lambda: _write(draft, text))
        return JSONResponse({})

    parameters = [query("path", "string", "Empty: the folders that one can begin at.")]

    @router.get(
        "/training/folders", summary="The folders in a folder, and how many pictures lie in each", openapi_extra={"parameters": parameters}
    )
    async def folders(request: Request) -> Response:
        path = request.query_params.get("path", "")
        return JSONResponse(await desk.patiently(lambda: _folders(path, desk.jobs.around.roots)))


def _told(desk: Desk, draft: Path) -> dict[str, Any]:
    try:
        held = json.loads(draft.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        held = {}
    return {
        "presets": [asdict(preset) for preset in PRESETS],
        "lora_folder": lora_folder(desk.jobs.around),
        "draft": held if isinstance(held, dict) else {},
    }


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(".tmp")
    aside.write_text(text, encoding="utf-8")
    aside.replace(file)


def _folders(path: str, roots: tuple[Path, ...] | None) -> dict[str, Any]:
    if not path and roots is not None:
        return {"path": "", "parent": None, "pictures": 0, "folders": [_folder(root) for root in roots if root.is_dir()]}
    folder = Path(path or "~").expanduser()
    if not folder.is_absolute():
        raise BadRequest("Name the folder by its whole path.")
    if roots is not None and not is_inside(folder, roots):
        raise BadRequest("That folder is outside of those that may be used from here.")
    try:
        inside = sorted(
            (entry for entry in folder.iterdir() if not entry.name.startswith(".") and entry.is_dir()), key=lambda one: one.name.lower()
        )
    except OSError as error:
        raise NotFound(f'The folder "{folder.name}" cannot be read: {error.strerror}.') from error
    parent = folder.parent if roots is None or is_inside(folder.parent, roots) else None
    return {
        "path": str(folder),
        "parent": str(parent) if parent is not None and parent != folder else ("" if roots is not None else None),
        "pictures": _pictures(folder),
        "folders": [_folder(one) for one in inside[:_MOST_FOLDERS]],
    }


def _folder(folder: Path) -> dict[str, Any]:
    return {"name": folder.name, "path": str(folder), "pictures": _pictures(folder)}


def _pictures(folder: Path) -> int:
    try:
        return sum(entry.suffix.lower() in _ENDINGS for entry in folder.iterdir())
    except OSError:
        return 0
