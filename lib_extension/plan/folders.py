"""Which files may a recipe read? Those in its own folder and below, by plain relative names; nothing else, however it is written."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Protocol

from lib_extension.spec.errors import BadRequest, NotFound, TooLarge

LONGEST_NAME = 240  # characters; file systems allow little more


class Files(Protocol):
    """Where a recipe's pictures and rows come from."""

    def read(self, name: str, most: int) -> bytes:
        """The file's content. BadRequest for a name that leads elsewhere, NotFound, TooLarge above `most` bytes."""
        ...


class Folder:
    """The files in a folder and below."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str, most: int) -> bytes:
        path = plain_name(name)
        try:
            root = self._folder.resolve(strict=True)
            file = (root / path).resolve(strict=True)
            if not file.is_relative_to(root):
                raise BadRequest(f'The file "{name}" is a link that leads out of the recipe\'s folder. Put the file itself there.')
            if not file.is_file():
                raise NotFound(f'"{name}" is no file.')
            with file.open("rb") as opened:
                data = opened.read(most + 1)
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, before Python 3.13
            reason = getattr(error, "strerror", None) or "its links lead nowhere"
            raise NotFound(f'The file "{name}" cannot be read from the recipe\'s folder: {reason}.') from error
        if len(data) > most:
            raise TooLarge(f'The file "{name}" has more than {most:,} bytes, which is the most.')
        return data


def plain_name(name: str) -> PurePosixPath:
    """The path below a folder that a name means on every system; BadRequest for one that could lead out of it."""
    path = PurePosixPath(name)
    wrong = (
        not name.strip()
        or len(name) > LONGEST_NAME
        or path.is_absolute()
        or ".." in path.parts
        or not path.parts
        or re.search(r'[\\:\x00-\x1f<>"|?*]', name)  # backslash, drive and stream on Windows, and what its names cannot have
    )
    if wrong:
        shown = name if len(name) <= 60 else name[:59] + "…"
        raise BadRequest(f"The file name {shown!r} is refused: it must lead to a file in the recipe's folder, such as inputs/watch.png.")
    return path
