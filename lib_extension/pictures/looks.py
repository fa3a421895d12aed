"""What is known of pictures in files by their looks, and found out once for each as long as its file stays the same?"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image, ImageOps

from lib_extension.pictures.hashes import apart, perceptual_hash
from lib_extension.pictures.png import FORMATS, MOST_PIXELS
from lib_extension.spec.errors import AtelierError, BadRequest, Busy

MOST = 100_000  # pictures that are remembered
_SEEN = 128  # px: JPEGs are decoded no larger than hashes need
_AT_ONCE = 64
_ORIENTATION, _SIDEWAYS = 0x0112, (5, 6, 7, 8)
_DAMAGE = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, OverflowError, MemoryError)
_BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)

Key = tuple[str, int, int]


class Looks:
    """Sizes and perceptual hashes. Safe for many threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._sizes: dict[Key, tuple[int, int]] = {}
        self._hashes: dict[Key, int | None] = {}

    def size(self, file: Path) -> tuple[int, int]:
        """Width and height in px as it is seen, turned as its EXIF says; (0, 0) where it is no picture."""
        key = key_of(file)
        if key not in self._sizes:
            self._keep(self._sizes, key, _size(file))
        return self._sizes.get(key, (0, 0))

    def similar(self, files: Mapping[str, Path], to: str, alike: int, patience: float = 20.0) -> set[str]:
        """The names of pictures whose hash differs from that of `to` in no more than `alike` of 64 bits, `to` among them.

        Raises BadRequest where `to` is no picture, and Busy after `patience` seconds: what was found out until then stays known.
        """
        if to not in files:
            raise BadRequest(f'similar is "{to:.120}", which is no picture of the folder.')
        wanted = self._hash(key_of(files[to]), files[to])
        if wanted is None:
            raise BadRequest(f'similar is "{to:.120}", which cannot be read as a picture.')
        hashes = self._all(list(files.values()), patience)
        return {name for name, found in zip(files, hashes, strict=True) if found is not None and apart(found, wanted) <= alike}

    def _all(self, files: Sequence[Path], patience: float) -> list[int | None]:
        keys = [key_of(file) for file in files]
        unknown = [(key, file) for key, file in zip(keys, files, strict=True) if key not in self._hashes]
        until = time.monotonic() + patience
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:  # Pillow decodes beside Python
            for start in range(0, len(unknown), _AT_ONCE):
                if time.monotonic() > until:
                    done = len(files) - len(unknown) + start
                    raise Busy(f"{done:,} of {len(files):,} pictures have been looked at until now. Ask again in a moment.")
                list(pool.map(lambda one: self._hash(*one), unknown[start : start + _AT_ONCE]))
        return [self._hash(key, file) for key, file in zip(keys, files, strict=True)]

    def _hash(self, key: Key, file: Path) -> int | None:
        if key not in self._hashes:
            self._keep(self._hashes, key, _hash(file))
        return self._hashes.get(key)

    def _keep(self, where: dict, key: Key, value: object) -> None:  # pyright: ignore[reportMissingTypeArgument]
        with self._guard:
            where[key] = value
            if len(where) > MOST:
                del where[next(iter(where))]


def key_of(file: Path) -> Key:
    """Another one once the file is another: its path, time and size."""
    try:
        stat = file.stat()
    except OSError:
        return str(file), 0, -1
    return str(file), stat.st_mtime_ns, stat.st_size


def _size(file: Path) -> tuple[int, int]:
    try:
        with Image.open(file, formats=FORMATS) as image:
            width, height = image.size
            return (height, width) if _is_sideways(image) else (width, height)
    except (*_DAMAGE, *_BOMB):
        return 0, 0


def _is_sideways(image: Image.Image) -> bool:
    try:
        return image.getexif().get(_ORIENTATION) in _SIDEWAYS
    except _DAMAGE:
        return False


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except _DAMAGE:
        image.load()  # of a picture that is whole only its EXIF is damaged
        return image


def _hash(file: Path) -> int | None:
    """None for what is no picture, or too large a one."""
    try:
        with Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            image.draft("RGB", (_SEEN, _SEEN))
            return perceptual_hash(_upright(image))
    except (*_DAMAGE, *_BOMB, AtelierError):
        return None
