"""How alike do two pictures look? Hashes of 64 bits, of which few differ between pictures that look alike."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image

BITS = 64
_SIDE = 8
_SHRUNK = 32


def perceptual_hash(image: Image.Image) -> int:
    """pHash (Zauner 2010): the picture at 32×32 in grey, its 8×8 slowest cosine waves (DCT-II), each over their median or not.

    Much the same after scaling, compression, and changes of brightness and contrast.
    """
    shrunk = np.asarray(image.convert("L").resize((_SHRUNK, _SHRUNK), Image.Resampling.LANCZOS), np.float64)
    waves = _waves()  # 8 32
    slowest = np.round(waves @ shrunk @ waves.T, 3)  # rounded, as in a flat picture only noise would decide
    return _number(slowest > np.median(slowest))


def gradient_hash(image: Image.Image) -> int:
    """dHash (Krawetz 2013): the picture at 9×8 in grey, each pixel darker than its right neighbour or not."""
    shrunk = np.asarray(image.convert("L").resize((_SIDE + 1, _SIDE), Image.Resampling.LANCZOS))
    return _number(shrunk[:, :-1] < shrunk[:, 1:])


def apart(first: int, second: int) -> int:
    """In how many bits two hashes differ: 0 for the same look, about half of them for pictures that have nothing in common."""
    return (first ^ second).bit_count()


@cache
def _waves() -> np.ndarray:
    return np.cos(np.pi / _SHRUNK * np.outer(np.arange(_SIDE), np.arange(_SHRUNK) + 0.5))


def _number(bits: np.ndarray) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
