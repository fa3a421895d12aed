"""How are pixels that are pasted into a picture given its colours, where the two meet?

The picture that they are pasted on shows the same place in its own light. Inside the edge the difference of the two is averaged, so that
light counts and detail does not, and added: fully at the edge, less and less further in, and from `width` pixels on not at all.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib_extension.pictures import masks
from lib_extension.spec.errors import BadRequest

Floats = NDArray[np.floating[Any]]


def match_edge(pasted: Image.Image, ground: Image.Image, mask: Image.Image, width: int = 16) -> Image.Image:
    """`pasted` (RGB) with the colours of `ground` along the inner edge of `mask` (L); all three have one size.

    Where `mask` ends with the picture is no edge. More than `width` pixels (1 to 256) inside, no pixel changes.
    """
    if not pasted.size == ground.size == mask.size:
        sizes = " and ".join(f"{image.width}×{image.height}" for image in (pasted, ground, mask))
        raise BadRequest(f"Colours can be matched between pictures and a mask of one size only; these have {sizes}.")
    pasted = pasted.convert("RGB")
    box = masks.crop_region(mask, padding=width)
    if box is None:
        return pasted
    matched = pasted.copy()
    matched.paste(_matched(pasted.crop(box), ground.convert("RGB").crop(box), mask.crop(box), width), box)
    return matched


def _matched(pasted: Image.Image, ground: Image.Image, mask: Image.Image, width: int) -> Image.Image:
    colours = np.asarray(pasted, np.float32)  # H W 3
    nearness = _nearness(mask, width)  # H W
    weights = nearness * (np.asarray(mask) > 127)
    around = _averaged(weights, width)
    channels = []
    for channel in range(3):
        difference = np.asarray(ground.getchannel(channel), np.float32) - colours[..., channel]
        shift = np.divide(_averaged(weights * difference, width), around, out=np.zeros_like(around), where=around > 1e-6)
        channels.append(colours[..., channel] + nearness * shift)
    return Image.fromarray(np.rint(np.stack(channels, axis=-1)).clip(0, 255).astype(np.uint8))


def _nearness(mask: Image.Image, width: int) -> Floats:
    """(H, W) 1 outside and for the outermost pixels inside, 0 from `width` pixels inside on."""
    whole = masks.threshold(mask)
    inner, sigma = masks.grow(whole, -1), (width - 1) / 2.5  # the blur reaches 2.5 standard deviations, and aslant a little further
    nearness = np.clip((255 - np.asarray(masks.blur(inner, sigma, sigma), np.float32)) / 127.5, 0, 1)
    return np.where(np.asarray(masks.grow(whole, -width)) == 255, 0, nearness)


def _averaged(values: Floats, width: int) -> Floats:
    """Three moving averages over `width` pixels in each direction, much like a Gaussian (Wells 1986); beyond the edge is 0."""
    return reduce(lambda so_far, axis: _moving_average(so_far, max(width // 2, 1), axis), (0, 1) * 3, values)


def _moving_average(values: Floats, reach: int, axis: int) -> Floats:
    """The mean of 2 · `reach` + 1 values around each."""
    margins = [(reach + 1, reach) if a == axis else (0, 0) for a in range(2)]
    sums = np.cumsum(np.pad(values, margins), axis=axis, dtype=np.float64)
    length, span = values.shape[axis], 2 * reach + 1
    after, before = np.take(sums, range(span, span + length), axis), np.take(sums, range(length), axis)
    return (after - before) / span
