"""A mask that is there already: an input of the recipe, painted by hand, or another stage's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PIL import Image

from lib_extension.masks.mask_type import MaskGiven, OneMask
from lib_extension.pictures import masks
from lib_extension.spec.errors import BadRequest


@dataclass(frozen=True, kw_only=True)
class UploadMask(OneMask):
    """The mask that a mask input or a mask stage gives, named by `of`: its transparency where it has a use, else its brightness."""

    kind: Literal["upload"]

    def check(self) -> None:
        """Refuse to take the picture that is worked on for its own mask."""
        if not self.of:
            raise BadRequest('A mask of the kind "upload" needs "of", the name of a mask input or of a mask stage.')


def find(source: UploadMask, given: MaskGiven) -> Image.Image:
    """The mask as it was sent."""
    return masks.from_picture(given.picture(source.of).image, rounded=False)
