"""How sharp is a picture? By the variance of its Laplacian (Pech-Pacheco et al. 2000)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lib_extension.scores.score_type import OneScore, ScoreGiven, brightness

HALF = 100.0  # the variance that is commonly taken for the border between blurred and sharp, at 256 levels of grey


@dataclass(frozen=True, kw_only=True)
class SharpnessScore(OneScore):
    """How sharp a picture is: v / (v + 100), v being the variance of its Laplacian. 0 is flat, 0.5 just sharp, 0.9 crisp.

    Compare pictures of one size only: the same picture enlarged is less sharp.
    """

    kind: Literal["sharpness"]


def measure(score: SharpnessScore, given: ScoreGiven) -> list[float]:
    """Higher is better."""
    variances = [laplacian_variance(brightness(picture.image)) for picture in given.pictures]
    return [variance / (variance + HALF) for variance in variances]


def laplacian_variance(grey: NDArray[np.float32]) -> float:
    """Of the four neighbours minus four times the pixel, everywhere but at the picture's edge; 0 for what has nothing but edge."""
    inner = grey[1:-1, 1:-1]
    if inner.size == 0:
        return 0.0
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return float(laplacian.var(dtype=np.float64))
