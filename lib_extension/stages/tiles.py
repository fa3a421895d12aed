"""How is a large picture cut into tiles, and how do redrawn tiles become one picture without a seam?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib_extension.pictures.masks import Box

Order = Literal["linear", "chess"]


@dataclass(frozen=True)
class Tile:
    """A part of the picture; `place` counts row by row, whatever the order they are drawn in."""

    place: int
    box: Box


def cut_tiles(size: tuple[int, int], tile: int, overlap: int, order: Order) -> list[Tile]:
    """Tiles of tile × tile pixels that cover a picture, in the order to draw them; neighbours share `overlap` pixels or more.

    A side that is no longer than a tile is one tile's side. linear goes row by row; chess draws every second tile first, like the
    white squares, and then the others, each of which has finished neighbours on all sides.
    """
    lefts, tops = _starts(size[0], tile, overlap), _starts(size[1], tile, overlap)
    found = [
        (row + column, Tile(row * len(lefts) + column, (left, top, min(left + tile, size[0]), min(top + tile, size[1]))))
        for row, top in enumerate(tops)
        for column, left in enumerate(lefts)
    ]
    if order == "chess":
        found.sort(key=lambda pair: (pair[0] % 2, pair[1].place))
    return [tile for _, tile in found]


def _starts(length: int, tile: int, overlap: int) -> list[int]:
    if length <= tile:
        return [0]
    count = ceil((length - overlap) / (tile - overlap))
    return [round(place * (length - tile) / (count - 1)) for place in range(count)]


@dataclass
class Mosaic:
    """A picture (RGB) whose tiles are replaced one by one.

    Where tiles overlap the picture is their mean, weighted by how far a pixel lies from each tile's edge, so that no tile ends at
    once. It is kept as a running mean: besides the picture itself, nothing is held that is larger than a tile.
    """

    image: Image.Image
    overlap: int
    _drawn: list[Box] = field(default_factory=list)

    def crop(self, tile: Tile) -> Image.Image:
        """What is there now."""
        return self.image.crop(tile.box)

    def put(self, tile: Tile, drawn: Image.Image) -> None:
        """Takes in a redrawn tile, which has the tile's size."""
        own = self._weights(tile.box, tile.box)
        earlier = [self._weights(box, tile.box) for box in self._drawn if _meet(box, tile.box)]
        share = (own / sum(earlier, own))[..., None]  # H W 1; 1 where no tile was before
        before = np.asarray(self.crop(tile), np.float32)
        mixed = before + share * (np.asarray(drawn, np.float32) - before)
        self.image.paste(Image.fromarray(np.rint(mixed).astype(np.uint8)), tile.box[:2])
        self._drawn.append(tile.box)

    def _weights(self, box: Box, part: Box) -> NDArray[np.float32]:
        """The weight of the tile at `box` in every pixel of `part`, 0 outside the tile. The picture's own border is no edge."""
        across = _ramp(box[0], box[2], self.image.width, self.overlap, (part[0], part[2]))
        down = _ramp(box[1], box[3], self.image.height, self.overlap, (part[1], part[3]))
        return down[:, None] * across[None, :]


def _ramp(start: int, end: int, length: int, width: int, part: Sequence[int]) -> NDArray[np.float32]:
    """Along one side: from 0 at an edge inside the picture to 1 `width` pixels further in."""
    places = np.arange(*part, dtype=np.float32) + 0.5
    weight = np.minimum(1, (places - start) / width) if start > 0 else np.ones_like(places)
    weight = np.minimum(weight, (end - places) / width) if end < length else weight
    return np.where((places > start) & (places < end), weight, 0).astype(np.float32)


def _meet(first: Box, second: Box) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]
