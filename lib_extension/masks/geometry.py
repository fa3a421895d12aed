"""A mask from where things lie: rectangles, or the cells of a sheet and what is between and around them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib_extension.masks.mask_type import MaskGiven, OneMask
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import field

Rectangle = tuple[float, float, float, float]  # left, top, right, bottom; right and bottom outside


@dataclass(frozen=True, kw_only=True)
class GeometryMask(OneMask):
    """Rectangles that are given, or parts of a sheet, which knows where its pictures lie.

    cells: its pictures, all or those of `which`. gutters: what lies between neighbours. seams: gutters and `width` pixels of the
    pictures on both sides of each. margins: everything else.
    """

    kind: Literal["geometry"]
    shape: Literal["rectangles", "cells", "gutters", "seams", "margins"] = field("rectangles", label="Shape")
    rectangles: tuple[tuple[float, float, float, float], ...] = field((), label="Rectangles", help="Left, top, right, bottom of each.")
    unit: Literal["pixels", "share"] = field("pixels", label="Unit", help="Of rectangles; a share of the picture's width and height.")
    which: tuple[int, ...] = field((), label="Which cells", minimum=0, help="Counted from 0; none are all.")
    width: int = field(8, label="Width of seams", minimum=1, maximum=1024, help="Pixels of the pictures on each side.")

    def check(self) -> None:
        """Refuse rectangles where they have no use, none where they are needed, and such that hold nothing."""
        if (self.shape == "rectangles") != bool(self.rectangles):
            raise BadRequest(f'A geometry mask of shape "{self.shape}" {"has no" if self.rectangles else "needs"} "rectangles".')
        for left, top, right, bottom in self.rectangles:
            if right <= left or bottom <= top:
                raise BadRequest(f"The rectangle {left:g}, {top:g}, {right:g}, {bottom:g} is empty; write left, top, right, bottom.")


def find(source: GeometryMask, given: MaskGiven) -> Image.Image:
    """The shape, at the size of the picture that is looked at."""
    picture = given.picture(source.of)
    size = picture.image.size
    if source.shape == "rectangles":
        across, down = size if source.unit == "share" else (1, 1)
        return _drawn([(a * across, b * down, c * across, d * down) for a, b, c, d in source.rectangles], size)
    cells = _cells(picture.facts, source.of or "the picture")
    if source.shape == "cells":
        return _drawn([cells[place] for place in _chosen(source.which, len(cells))], size)
    if source.shape == "seams":
        return _drawn(_seams(cells, source.width), size)
    gutters = _seams(cells, 0)
    if source.shape == "gutters":
        return Image.fromarray(np.asarray(_drawn(gutters, size)) & ~np.asarray(_drawn(cells, size)))
    return Image.fromarray(~np.asarray(_drawn([*gutters, *cells], size)))


def _cells(facts: Mapping[str, Any], name: str) -> list[Rectangle]:
    cells = facts.get("cells")
    if not cells:
        raise BadRequest(f'{name} has no cells: it is no sheet. Name a sheet stage in "of", or give the mask "rectangles".')
    return [(left, top, right, bottom) for left, top, right, bottom in cells]


def _chosen(which: Sequence[int], count: int) -> Iterable[int]:
    for place in which:
        if place >= count:
            raise BadRequest(f"The mask asks for cell {place}, but the sheet has {count}: 0 to {count - 1}.")
    return which or range(count)


def _drawn(rectangles: Iterable[Rectangle], size: tuple[int, int]) -> Image.Image:
    """White where any of them is. Edges go to the nearest pixel; what lies outside the picture is cut off."""
    layer: NDArray[np.uint8] = np.zeros((size[1], size[0]), np.uint8)
    for rectangle in rectangles:
        left, top, right, bottom = (max(round(side), 0) for side in rectangle)
        layer[top:bottom, left:right] = 255
    return Image.fromarray(layer)


def _seams(cells: Sequence[Rectangle], width: float) -> list[Rectangle]:
    """Strips between cells that lie side by side or one above the other, and the crossings of such strips; `width` wider on each side."""
    turned = [(top, left, bottom, right) for left, top, right, bottom in cells]
    beside = {place: _next(cells, place) for place in range(len(cells))}
    below = {place: _next(turned, place) for place in range(len(cells))}
    strips: list[Rectangle] = []
    for place, (left, top, right, bottom) in enumerate(cells):
        others = [cells[other] for other in beside[place]]
        lower = [cells[other] for other in below[place]]
        strips += [(right - width, max(top, b), c + width, min(bottom, d)) for c, b, _, d in others]
        strips += [(max(left, a), bottom - width, min(right, c), b + width) for a, b, c, _ in lower]
        strips += [(right - width, bottom - width, c + width, b + width) for c, *_ in others for _, b, *_ in lower]
    return strips


def _next(cells: Sequence[Rectangle], place: int) -> list[int]:
    """The cells to the right of one, in the same rows, with none between."""
    _, top, right, bottom = cells[place]
    found: list[int] = []
    candidates = (other for other, (left, a, _, b) in enumerate(cells) if left >= right and a < bottom and b > top)
    for other in sorted(candidates, key=lambda candidate: cells[candidate][0]):
        _, a, _, b = cells[other]
        if all(cells[nearer][1] >= b or cells[nearer][3] <= a for nearer in found):
            found.append(other)
    return found
