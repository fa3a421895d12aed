"""Which folder on this machine does a client mean, or which picture of it, and may it be used from there?"""

from __future__ import annotations

from pathlib import Path

from lib_extension.jobs.asked_paths import Roots, path_asked
from lib_extension.jobs.training import is_inside
from lib_extension.spec.errors import NotFound


def folder_asked(text: str, roots: Roots) -> Path:
    """As path_asked, of a folder that is there. NotFound."""
    path = path_asked(text, roots)
    try:
        is_there = path.is_dir()
    except OSError:
        is_there = False
    if not is_there:
        raise NotFound(f'There is no folder "{text[-80:]}".')
    return path


def picture_asked(folder: Path, name: str, roots: Roots) -> Path:
    """The file of a picture by its path in a folder. NotFound, also for whatever leads elsewhere."""
    parts = name.split("/")
    path = folder.joinpath(*parts)
    if not name or any(part in ("", ".", "..") or "\0" in part or "\\" in part for part in parts):
        raise NotFound(f'There is no picture "{name:.120}" in the folder.')
    if roots is not None and not is_inside(path, roots):
        raise NotFound(f'There is no picture "{name:.120}" in the folder.')
    return path
