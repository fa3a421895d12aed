"""How is a picture shown small? As WEBP, made once for each of a few sizes and kept on the disk."""

from __future__ import annotations

import io
import secrets
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, features

from lib_extension.pictures.png import open_picture
from lib_extension.runs.blobs import Blobs
from lib_extension.runs.storage import disk_errors

SMALLEST, LARGEST = 64, 1024  # longest side, px
SIZES = (64, 128, 192, 256, 384, 512, 768, 1024)  # each size that is asked for becomes the next of these

_WHAT = "The thumbnails' folder"
_QUALITY = 82


class Thumbnails:
    """Of the pictures among some blobs. Safe for many threads and processes: two that make the same one make it twice, and lose nothing."""

    def __init__(self, folder: Path, blobs: Blobs) -> None:
        self._folder = folder
        self._blobs = blobs

    def get(self, id: str, size: int) -> bytes:
        """The file of the thumbnail, WEBP (PNG where Pillow was built without). LostBlob, and BadRequest for what is no picture."""
        file = self._file(id, SIZES[bisect_left(SIZES, size)])
        with disk_errors(_WHAT):
            if file.is_file():
                return file.read_bytes()
        data = drawn(self._blobs.get(id), SIZES[bisect_left(SIZES, size)])
        with disk_errors(_WHAT):
            write_whole(file, data)
        return data

    def bytes(self) -> int:
        """What all of them take."""
        return sum(file.stat().st_size for file in self._files())

    def sweep(self) -> int:
        """Delete those whose picture is not there any more; how many."""
        gone = [file for file in self._files() if not self._blobs.path(file.name.partition("-")[0]).is_file()]
        with disk_errors(_WHAT):
            for file in gone:
                file.unlink(missing_ok=True)
        return len(gone)

    def _file(self, id: str, size: int) -> Path:
        return self._folder / id[:2] / f"{id}-{size}"

    def _files(self) -> Iterator[Path]:
        with disk_errors(_WHAT):
            if self._folder.is_dir():
                yield from (file for file in self._folder.glob("??/*") if file.is_file())


def drawn(data: bytes, size: int) -> bytes:
    """The picture in a file with its longest side `size` px at most, as a file. BadRequest and TooLarge for what is no picture."""
    image = open_picture(data, what="The picture")
    image.info = {}
    image.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=2.0)
    file = io.BytesIO()
    if features.check("webp"):
        image.save(file, "WEBP", quality=_QUALITY, method=4)
    else:
        image.save(file, "PNG")
    return file.getvalue()


def write_whole(file: Path, data: bytes) -> None:
    """Whole or not at all. Nothing is flushed: a thumbnail that is lost is made again."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{secrets.token_hex(8)}.part")
    try:
        aside.write_bytes(data)
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
