"""A mask from a colour: a green screen, or a mask that somebody painted over a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageColor

from lib_extension.masks.mask_type import MaskGiven, OneMask
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import field


@dataclass(frozen=True, kw_only=True)
class ColourMask(OneMask):
    """Where a picture has a colour. What is more than half transparent has none."""

    kind: Literal["colour"]
    colour: str = field(label="Colour", help="#rrggbb or an HTML name.")
    tolerance: int = field(16, label="Tolerance", minimum=0, maximum=255, help="How far red, green and blue may each be away, of 255.")

    def check(self) -> None:
        """Refuse what is no colour."""
        try:
            ImageColor.getrgb(self.colour)
        except ValueError as error:
            raise BadRequest(
                f'"{self.colour[:40]}" is no colour; write #rrggbb, such as #00ff00, or an HTML name, such as lime.'
            ) from error


def find(source: ColourMask, given: MaskGiven) -> Image.Image | None:
    """Every pixel whose three channels are each near enough."""
    pixels = np.asarray(given.picture(source.of).image.convert("RGBA"), np.int16)  # H W 4
    wanted = np.array(ImageColor.getrgb(source.colour)[:3], np.int16)
    near = (np.abs(pixels[..., :3] - wanted) <= source.tolerance).all(axis=-1) & (pixels[..., 3] > 127)
    return Image.fromarray(np.where(near, 255, 0).astype(np.uint8))
