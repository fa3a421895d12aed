"""Which folder or file on this machine does a client mean, and may it be used from there?"""

from __future__ import annotations

from pathlib import Path

from lib_extension.jobs.training import is_inside
from lib_extension.spec.errors import BadRequest, NotFound

Roots = tuple[Path, ...] | None


def path_asked(text: str, roots: Roots, what: str = "folder") -> Path:
    """The path, whether there is anything or not. BadRequest for one that is not whole, or outside of the roots."""
    if "\0" in text or not text.strip():
        raise BadRequest(f"{what} is empty; name it by its whole path." if not text.strip() else f"{what} is no path.")
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise BadRequest(f'{what} is "{text[-80:]}", and nobody here is called so.') from error
    if not path.is_absolute():
        raise BadRequest(f'{what} is "{text[-80:]}"; name it by its whole path.')
    if roots is not None and not is_inside(path, roots):
        raise BadRequest(f'{what} is "{text[-80:]}", outside of the folders that may be used from here.')
    return path


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
