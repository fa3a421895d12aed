"""How closely does a picture keep to the edges that guided it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from lib_extension.pictures import masks
from lib_extension.scores import canny
from lib_extension.scores.score_type import OneScore, ScoreGiven, brightness, opaque
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import field

_LINE = 63  # a line one pixel wide keeps so much brightness when its map is shrunk to a quarter


@dataclass(frozen=True, kw_only=True)
class EdgesScore(OneScore):
    """How well a picture's edges and those of another agree: the F-measure of boundaries (Martin, Fowlkes and Malik 2004).

    2·p·r / (p + r): p is the share of the picture's edges that have one of the other's within `tolerance`, r the share of the other's
    that have one of the picture's. 1 is full agreement. Compared at the smaller one's size.
    """

    kind: Literal["edges"]
    of: str = field(label="Of", help="The stage or input whose picture, or edge map, guided these.", source="picture")
    is_map: bool = field(False, label="Is an edge map", help="White lines on black, as a control stage gives; else edges are looked for.")
    tolerance: int = field(2, label="Tolerance", minimum=0, maximum=32, help="Pixels.")
    low: float = field(100, label="Low threshold", minimum=1, maximum=2000, advanced=True)
    high: float = field(200, label="High threshold", minimum=1, maximum=2000, advanced=True)

    def check(self) -> None:
        """Refuse a comparison with nothing, and thresholds that cross."""
        if not self.of:
            raise BadRequest('A score of the kind "edges" needs "of", the name of the stage or input that guided the pictures.')
        if self.low > self.high:
            raise BadRequest(f"The edges' low threshold {self.low:g} is above the high one, {self.high:g}.")


def measure(score: EdgesScore, given: ScoreGiven) -> list[float]:
    """Higher is better."""
    guide = opaque(given.other(score.of).image)
    return [_closeness(score, opaque(picture.image), guide) for picture in given.pictures]


def _closeness(score: EdgesScore, image: Image.Image, guide: Image.Image) -> float:
    size = min(image.size, guide.size, key=lambda sides: sides[0] * sides[1])
    if score.is_map:
        wanted = masks.threshold(_at(guide.convert("L"), size), _LINE)
    else:
        wanted = _edges(score, _at(guide, size))
    return agreement(_edges(score, _at(image, size)), wanted, score.tolerance)


def agreement(found: Image.Image, wanted: Image.Image, tolerance: int) -> float:
    """The F-measure of two masks of lines; 1 where both are empty, 0 where one is."""
    here, there = np.asarray(found) > 0, np.asarray(wanted) > 0
    if not here.any() or not there.any():
        return float(here.any() == there.any())
    precision = (np.asarray(masks.grow(wanted, tolerance))[here] > 0).mean()
    recall = (np.asarray(masks.grow(found, tolerance))[there] > 0).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def _at(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size else image.resize(size, Image.Resampling.BOX)


def _edges(score: EdgesScore, image: Image.Image) -> Image.Image:
    return Image.fromarray(np.where(canny.edges(brightness(image), score.low, score.high), 255, 0).astype(np.uint8))
