"""What is measured in one picture: how sharp and how bright it is, and hashes by which pictures that look alike are found?"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from PIL import Image

from lib_extension.pictures.hashes import gradient_hash, perceptual_hash
from trainer.data.pictures import colours

_SEEN = 512  # the side of a square with as many pixels as those at which sharpness is measured, so that sizes can be compared
_TILES = 8
_DCT = 32
_DIGEST = 8


@dataclass(frozen=True)
class Facts:
    """Of one picture, as it is seen."""

    sharpness: float  # variance of the Laplacian where the picture is sharpest
    brightness: float  # mean, 0..255
    clipped: float  # share of pixels that are all black or all white
    gradient_hash: int  # 64 bits
    cosine_hash: int  # 64 bits
    digest: bytes  # the picture in 8x8 pixels, RGB


def facts_of(picture: Image.Image) -> Facts:
    """Of what `smaller` makes of a picture."""
    seen = colours(picture)
    grey = seen.convert("L")
    often = np.array(grey.histogram(), np.float64)  # 256
    pixels = grey.width * grey.height
    small = seen.resize((_DCT, _DCT), Image.Resampling.BOX, reducing_gap=1.0)
    small_grey = small.convert("L")
    return Facts(
        sharpness=_sharpness(np.asarray(grey)),
        brightness=float(often @ np.arange(256)) / pixels,
        clipped=float(often[:4].sum() + often[252:].sum()) / pixels,
        gradient_hash=gradient_hash(small_grey),
        cosine_hash=perceptual_hash(small_grey),
        digest=small.reduce(_DCT // _DIGEST).tobytes(),
    )


def smaller(picture: Image.Image) -> Image.Image:
    """The picture with a quarter of a million pixels at most, so that sizes can be compared."""
    share = sqrt(_SEEN**2 / (picture.width * picture.height))
    if share >= 1:
        return picture
    picture = picture.convert("RGB") if picture.mode in ("P", "1", "CMYK", "YCbCr") else picture
    steps = int(1 / share)
    reduced = picture.reduce(steps) if steps > 1 else picture
    size = max(1, round(picture.width * share)), max(1, round(picture.height * share))
    return reduced if reduced.size == size else reduced.resize(size, Image.Resampling.BILINEAR)


def _sharpness(grey: np.ndarray) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000, doi:10.1109/ICPR.2000.903548), of tiles, at their 90th percentile.

    By tiles, because a subject in focus before a soft background is no blurred picture.
    """
    if min(grey.shape) < 3:
        return 0.0
    values = grey.astype(np.int16)  # H W
    edges = values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:] - 4 * values[1:-1, 1:-1]  # H-2 W-2
    tiles = min(_TILES, *edges.shape)
    h, w = edges.shape[0] // tiles, edges.shape[1] // tiles
    parts = edges[: h * tiles, : w * tiles].astype(np.float32).reshape(tiles, h, tiles, w)
    squares = np.einsum("ahbw,ahbw->ab", parts, parts) / (h * w)  # tiles tiles
    means = parts.sum(3).sum(1) / (h * w)
    return float(np.percentile(squares - means**2, 90))
