"""How does a redrawn picture get the colours of the picture that it was made from? The WebUI's option img2img_color_correction.

Each channel's histogram in Lab is matched to the original's; of the result hue and saturation count, the brightness stays as drawn.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Colours = NDArray[np.float64]  # (H, W, 3), 0..1

LUMA = np.array([0.299, 0.587, 0.114])


def with_colours_of(original: Image.Image, picture: Image.Image) -> Image.Image:
    """``picture`` recoloured; both RGB, of any sizes."""
    drawn = np.asarray(picture.convert("RGB"))
    lab, wanted = (cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2LAB).astype(np.uint8) for image in (picture, original))
    matched = np.stack([_matched(lab[:, :, i], wanted[:, :, i]) for i in range(3)], axis=2)
    recoloured = cv2.cvtColor(matched, cv2.COLOR_LAB2RGB).astype(np.float64) / 255
    bright = _with_luma(recoloured, drawn @ LUMA / 255.0)
    return Image.fromarray((bright.clip(0, 1) * 255).astype(np.uint8))


def _matched(channel: NDArray[np.integer], wanted: NDArray[np.integer]) -> Pixels:
    """``channel`` with each value replaced by that of the same rank in ``wanted``."""
    counts, wanted_counts = (np.bincount(values.ravel(), minlength=256) for values in (channel, wanted))
    values = np.flatnonzero(wanted_counts)
    ranks, wanted_ranks = np.cumsum(counts) / channel.size, np.cumsum(wanted_counts[values]) / wanted.size
    return np.interp(ranks, wanted_ranks, values)[channel].astype(np.uint8)


def _with_luma(colours: Colours, luma: Colours) -> Colours:
    """The blend mode "luminosity" (W3C Compositing and Blending, 10.2); ``luma`` is (H, W). Clipped towards grey, not cut off."""
    moved = colours + (luma - colours @ LUMA)[:, :, None]
    luma = (moved @ LUMA)[:, :, None]
    least, most = moved.min(axis=2, keepdims=True), moved.max(axis=2, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.where(least < 0, luma + (moved - luma) * luma / (luma - least), moved)
        return np.where(most > 1, luma + (moved - luma) * (1 - luma) / (most - luma), moved)
