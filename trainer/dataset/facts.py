"""What is measured in one picture: how sharp and how bright it is, and hashes by which pictures that look alike are found?"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from PIL import Image

from lib_extension.pictures.hashes import gradient_hash, perceptual_hash
from trainer.data.pictures import colours, has_alpha

_SEEN = 512  # the side of a square with as many pixels as those at which sharpness is measured, so that sizes can be compared
_TILES = 8
THUMBNAIL = 160
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


def facts_of(picture: Image.Image, thumbnail: Image.Image | None = None) -> Facts:
    """Of what `smaller` makes of a picture; `thumbnail`: what `thumbnail_of` makes of that, where it is at hand."""
    seen = picture if picture.mode == "RGB" and not has_alpha(picture) else colours(picture)
    grey = seen.convert("L")
    often = np.array(grey.histogram(), np.float64)  # 256
    pixels = grey.width * grey.height
    thumbnail = thumbnail if thumbnail is not None and seen is picture else thumbnail_of(seen)
    small = thumbnail.resize((_DCT, _DCT), Image.Resampling.BOX)
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


def thumbnail_of(picture: Image.Image) -> Image.Image:
    """The picture with a longer side of 160 pixels or somewhat more, if it has so many."""
    steps = max(picture.size) // THUMBNAIL
    return picture.reduce(steps) if steps > 1 else picture


def _sharpness(grey: np.ndarray) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000, doi:10.1109/ICPR.2000.903548), of tiles, at their 90th percentile.

    By tiles, because a subject in focus before a soft background is no blurred picture.
    """
    if min(grey.shape) < 3:
        return 0.0
    tiles = min(_TILES, grey.shape[0] - 2, grey.shape[1] - 2)
    h, w = (grey.shape[0] - 2) // tiles, (grey.shape[1] - 2) // tiles
    found = np.sort(np.concatenate([_variances(grey[row * h : row * h + h + 2, : w * tiles + 2], tiles) for row in range(tiles)]))
    place, share = divmod((found.size - 1) * 0.9, 1)
    return float(found[int(place)] * (1 - share) + found[min(int(place) + 1, found.size - 1)] * share)


def _variances(strip: np.ndarray, tiles: int) -> np.ndarray:
    """Of the Laplacian in each of the tiles of a strip as high as one of them, and its neighbours.

    By strips, as arrays of hundreds of kilobytes would take longer to be had from the system than to be filled.
    """
    values = strip.astype(np.int16)  # h+2 W+2
    edges = values[:-2, 1:-1] + values[2:, 1:-1]  # h W
    edges += values[1:-1, :-2]
    edges += values[1:-1, 2:]
    edges -= values[1:-1, 1:-1] << 2
    parts = edges.astype(np.float32)
    pixels = parts.size / tiles
    means = parts.sum(0).reshape(tiles, -1).sum(1) / pixels
    squares = np.einsum("hw,hw->w", parts, parts).reshape(tiles, -1).sum(1) / pixels
    return squares - means**2
