"""How are pictures of a folder anywhere on the disk shown small? As WEBP, made once for each of a few sizes while the file is the same."""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_left
from pathlib import Path

from PIL import features

from lib_extension.runs.storage import disk_errors
from lib_extension.session.thumbnails import SIZES, drawn, write_whole
from lib_extension.spec.errors import BadFile, NotFound, TooLarge

MOST = 40_000  # thumbnails that are kept, some 10 kB each
MOST_BYTES = 512 * 2**20  # of a picture's file
_LOOK_AFTER = 1000

_WHAT = "The folder of thumbnails of data sets"


class FolderThumbnails:
    """In one folder. Safe for many threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = threading.Lock()  # of the next
        self._made = 0
        self.media_type = "image/webp" if features.check("webp") else "image/png"

    def get(self, picture: Path, size: int) -> bytes:
        """The file of the thumbnail. NotFound and BadFile for what cannot be read, BadRequest for what is no picture."""
        size = SIZES[bisect_left(SIZES, size)]
        try:
            stat = picture.stat()
        except OSError as error:
            raise NotFound(f'There is no picture "{picture.name:.120}" in the folder.') from error
        key = hashlib.sha256(f"{picture.absolute()}\0{stat.st_mtime_ns}\0{stat.st_size}".encode("utf-8", "surrogateescape")).hexdigest()
        file = self._folder / key[:2] / f"{key}-{size}"
        with disk_errors(_WHAT):
            if file.is_file():
                return file.read_bytes()
        if stat.st_size > MOST_BYTES:
            raise TooLarge(f'"{picture.name:.120}" has {stat.st_size:,} bytes; {MOST_BYTES:,} is the most for a picture.')
        try:
            data = drawn(picture.read_bytes(), size)
        except OSError as error:
            raise BadFile(f'"{picture.name:.120}" cannot be read: {error.strerror}.') from error
        with disk_errors(_WHAT):
            write_whole(file, data)
        self._tidy()
        return data

    def bytes(self) -> int:
        """What all of them take."""
        return sum(file.stat().st_size for file in self._files())

    def _tidy(self) -> None:
        """Now and then, forget the oldest."""
        with self._guard:
            self._made += 1
            if self._made % _LOOK_AFTER:
                return
        with disk_errors(_WHAT):
            files = sorted(self._files(), key=lambda file: file.stat().st_mtime)
            for file in files[: max(0, len(files) - MOST)]:
                file.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        with disk_errors(_WHAT):
            return [file for file in self._folder.glob("??/*") if file.is_file()] if self._folder.is_dir() else []
