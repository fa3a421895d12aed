"""A mask from what is opaque in a picture: a product that was rendered on nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PIL import Image

from lib_extension.masks.mask_type import MaskGiven, OneMask
from lib_extension.pictures import masks
from lib_extension.spec.settings import field


@dataclass(frozen=True, kw_only=True)
class AlphaMask(OneMask):
    """What is opaque. A picture without transparency has no such mask: nothing is found, and not the whole picture."""

    kind: Literal["alpha"]
    soft: bool = field(False, label="Soft", help="Keep half transparent edges; else half opaque and more is chosen.")


def find(source: AlphaMask, given: MaskGiven) -> Image.Image | None:
    """The alpha channel."""
    image = given.picture(source.of).image
    if image.mode != "RGBA":
        return None
    alpha = image.getchannel("A")
    mask = alpha if source.soft else masks.threshold(alpha)
    return None if mask.getextrema() == (255, 255) else mask
