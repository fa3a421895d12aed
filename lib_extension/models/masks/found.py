"""What does a search for a mask give back, and what must each way of searching offer?"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib_extension.spec.errors import BadFile, NotFound, near_miss
from lib_extension.spec.settings import Settings

Layer = NDArray[np.bool_]  # (H, W), true where the thing is
T = TypeVar("T")


@dataclass(frozen=True)
class Thing:
    """Something that was found: its pixels, its box (x0, y0, x1, y1) in px, a score from 0 to 1, and what it is."""

    layer: Layer
    box: tuple[float, float, float, float]
    score: float
    label: str


@dataclass(frozen=True)
class Places:
    """The user's models folder, and the demo model's."""

    models: Path
    demo: Path


class MaskNetwork(Protocol):
    """A way of finding masks. Any number of threads may search at once."""

    def __init__(self, places: Places) -> None: ...

    @property
    def name(self) -> str: ...

    @property
    def settings(self) -> type[Settings]:
        """What it can be told."""
        ...

    def files(self) -> Mapping[str, Path]:
        """The weights that are there now, by the name that the settings have for them."""
        ...

    def find(self, picture: Image.Image, settings: object) -> list[Thing]:
        """The things in an RGB picture, the surest first; ``settings`` is an instance of the class's own."""
        ...


class Kept(Generic[T]):
    """What takes long to load, the latest few of it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._loaded: dict[Hashable, T] = {}
        self._lock = Lock()

    def get(self, key: Hashable, load: Callable[[], T]) -> T:
        with self._lock:
            self._loaded[key] = self._loaded.pop(key) if key in self._loaded else load()
            while len(self._loaded) > self._most:
                del self._loaded[next(iter(self._loaded))]
            return self._loaded[key]


def thing_of(layer: Layer, score: float, label: str) -> Thing:
    """With the smallest box round ``layer``, of which some pixel must be true."""
    rows, columns = np.flatnonzero(layer.any(axis=1)), np.flatnonzero(layer.any(axis=0))
    return Thing(layer, (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)), score, label)


def files_in(folder: Path, ending: str) -> dict[str, Path]:
    """The files with that ending, by their names without it, in order."""
    return {path.stem: path for path in sorted(folder.iterdir()) if path.suffix == ending} if folder.is_dir() else {}


def find_file(folder: Path, name: str, ending: str, what: str) -> Path:
    """The file of that name, with or without its ending. Names are compared with those of files that are there, so none leads elsewhere.

    Raises NotFound, which says what is there or where to put it.
    """
    files = files_in(folder, ending)
    for path in files.values():
        if name in (path.name, path.stem):
            return path
    names = [*files]
    there = f" There are: {', '.join(names[:10])}." if names else ""
    hint = near_miss(name.removesuffix(ending), names) or there
    raise NotFound(f'There is no {what} "{name[:100]}".{hint} Put its {ending} file into {folder.name}/ in the models folder.')


def refuse_pickle(name: str, how: str) -> None:
    """Raises BadFile for the endings whose files run code when they are read; ``how`` says what to do instead."""
    if name.lower().endswith((".pt", ".pth", ".ckpt", ".bin")):
        raise BadFile(f'"{name[:100]}" is a pickle, which can run code when it is loaded, and is refused. {how}')
