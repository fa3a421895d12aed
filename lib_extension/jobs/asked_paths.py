"""Which path on this machine does a client mean, and may it be used from there?"""

from __future__ import annotations

from pathlib import Path

from lib_extension.jobs.training import is_inside
from lib_extension.spec.errors import BadRequest

Roots = tuple[Path, ...] | None  # None: any path, as only this machine is served


def path_asked(text: str, roots: Roots, what: str = "folder") -> Path:
    """The path, whether there is anything or not. BadRequest for one that is not whole, or outside of the roots."""
    if "\0" in text or not text.strip():
        raise BadRequest(f"{what} is no path." if text.strip() else f"{what} is empty; name it by its whole path.")
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise BadRequest(f'{what} is "{text[-80:]}", and nobody here is called so.') from error
    if not path.is_absolute():
        raise BadRequest(f'{what} is "{text[-80:]}"; name it by its whole path.')
    if roots is not None and not is_inside(path, roots):
        raise BadRequest(f'{what} is "{text[-80:]}", outside of the folders that may be used from here.')
    return path
