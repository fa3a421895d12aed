"""Which folder on this machine does a client mean, or which picture of it, and may it be used from there?"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from lib_extension.captions.listing import PICTURES
from lib_extension.jobs.asked_paths import Roots, path_asked
from lib_extension.jobs.training import is_inside
from lib_extension.spec.errors import NotFound

_NO_NAME = "\0\\:" if os.name == "nt" else "\0"


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
    is_plain = not any(part in ("", ".", "..") or any(sign in part for sign in _NO_NAME) for part in parts)
    if is_plain and name.lower().endswith(PICTURES):
        path = folder.joinpath(*parts)
        with suppress(OSError):
            if path.is_file() and (roots is None or is_inside(path, roots)):
                return path
    raise NotFound(f'There is no picture "{name:.120}" in the folder.')
