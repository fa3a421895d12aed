"""Routes of a training before it is started: what it begins with, the one that is being prepared, and folders to choose from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from lib_extension.api.answers import read_object
from lib_extension.api.desk import Desk
from lib_extension.api.kept import Kept
from lib_extension.api.queries import query
from lib_extension.formats.picture_names import READABLE
from lib_extension.jobs.asked_paths import path_asked
from lib_extension.jobs.training import is_inside, lora_folder
from lib_extension.spec.errors import NotFound
from lib_extension.spec.training.presets import PRESETS

_MOST_FOLDERS = 500
_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


def add_routes(router: APIRouter, desk: Desk) -> None:
    """On paths below the router's prefix."""
    draft = Kept(desk.session.home.folder / "training.json")

    @router.get("/training", summary="Presets, where finished LoRAs go, and the training that is being prepared")
    async def training() -> Response:
        return JSONResponse(await desk.aside(lambda: _told(desk, draft)))

    @router.put("/training/draft", summary="Keep the training that is being prepared, whole or not", openapi_extra=_BODY)
    async def keep(request: Request) -> Response:
        body = await read_object(request)
        await desk.aside(lambda: draft.put(body))
        return JSONResponse({})

    parameters = [query("path", "string", "Empty: the folders that one can begin at.")]

    @router.get(
        "/training/folders", summary="The folders in a folder, and how many pictures lie in each", openapi_extra={"parameters": parameters}
    )
    async def folders(request: Request) -> Response:
        path = request.query_params.get("path", "")
        return JSONResponse(await desk.patiently(lambda: _folders(path, desk.jobs.around.roots)))


def _told(desk: Desk, draft: Kept) -> dict[str, Any]:
    return {"presets": [asdict(preset) for preset in PRESETS], "lora_folder": lora_folder(desk.jobs.around), "draft": draft.get()}


def _folders(path: str, roots: tuple[Path, ...] | None) -> dict[str, Any]:
    if not path and roots is not None:
        return {"path": "", "parent": None, "pictures": 0, "folders": [_folder(root) for root in roots if root.is_dir()]}
    folder = path_asked(path or "~", roots)
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
        return sum(entry.suffix.lower() in READABLE for entry in folder.iterdir())
    except OSError:
        return 0
