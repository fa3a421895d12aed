"""How well is a picture exposed? By the well-exposedness of exposure fusion (Mertens, Kautz and Van Reeth 2007)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lib_extension.scores.score_type import OneScore, ScoreGiven, brightness

WIDTH = 0.2  # standard deviation, as in the paper: black and white get 0.04


@dataclass(frozen=True, kw_only=True)
class ExposureScore(OneScore):
    """How near the pixels are to middle grey: the mean of exp(-(i - 0.5)² / (2 · 0.2²)) over all, i from 0 (black) to 1 (white).

    1 is middle grey throughout, 0.04 is black and white only. On a white or black ground it is low for good pictures too: there
    it tells pictures of one kind apart, and no more.
    """

    kind: Literal["exposure"]


def measure(score: ExposureScore, given: ScoreGiven) -> list[float]:
    """Higher is better."""
    weights = np.exp(-((np.arange(256) / 255 - 0.5) ** 2) / (2 * WIDTH**2))
    levels = (brightness(picture.image).astype(np.uint8).ravel() for picture in given.pictures)
    return [float(np.bincount(level, minlength=256) @ weights / level.size) for level in levels]
