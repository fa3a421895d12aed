"""How does a picture of any size pass through a model that draws multiples of 8? Its edge is extended, and cut off again after."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from PIL import Image

from lib_extension.pictures.png import MOST_PIXELS, encode_png
from lib_extension.pictures.sizes import CROP, FILL, STRETCH, resize_image
from lib_extension.spec.errors import BadRequest, TooLarge
from lib_extension.stages.stage import Picture

RESIZE_MODES = {"stretch": STRETCH, "crop": CROP, "fill": FILL}
_UNIT_MODES = {"Just Resize": STRETCH, "Crop and Resize": CROP, "Resize and Fill": FILL}


@dataclass(frozen=True)
class Frame:
    """The size that a picture shall have, and the one that is asked of the backend: not smaller, both sides multiples of 8."""

    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height

    @property
    def asked(self) -> tuple[int, int]:
        return up_to_8(self.width), up_to_8(self.height)

    def widen(self, image: Image.Image) -> Image.Image:
        """A picture of the frame's size with its last column and row repeated up to the size asked."""
        assert image.size == self.size, f"a picture of {image.size} in a frame of {self.size}"
        right, below = self.asked[0] - self.width, self.asked[1] - self.height
        if not right and not below:
            return image
        margins = ((0, below), (0, right), (0, 0))
        return Image.fromarray(np.pad(np.asarray(image), margins[: np.asarray(image).ndim], mode="edge"))

    def fit_unit(self, image: Image.Image, resize_mode: str, *, exactly: bool = False) -> Image.Image:
        """A ControlNet unit's picture. Where the frame is widened so is the picture, that both still lie on each other.

        `exactly` brings it to the size asked in any case, for a mask of that size to go with it.
        """
        if self.asked == self.size and not exactly:
            return image
        return self.widen(resize_image(_UNIT_MODES[resize_mode], image, *self.size))

    def cut(self, picture: Picture) -> Picture:
        """What came back, without what was added. Where nothing was added, it is the same file."""
        if self.asked == self.size:
            return picture
        image = picture.image
        assert image.size == self.asked, f"receipts let a picture of {image.size} through where {self.asked} was asked for"
        return with_image(picture, image.crop((0, 0, *self.size)))


def frame_of(width: int, height: int) -> Frame:
    """A frame; TooLarge where the picture could not be stored."""
    if width * height > MOST_PIXELS:
        raise TooLarge(f"A picture of {width}×{height} is asked for; {MOST_PIXELS // 1_000_000} megapixels is the most.")
    return Frame(max(width, 1), max(height, 1))


def up_to_8(pixels: int) -> int:
    """The smallest multiple of 8 from `pixels` on."""
    return -(-pixels // 8) * 8


def with_image(picture: Picture, image: Image.Image) -> Picture:
    """The same picture drawn otherwise: what is known of how it was made stays, in the file too."""
    return dataclasses.replace(picture, png=encode_png(image, picture.infotext))


def on_white(image: Image.Image) -> Image.Image:
    """In RGB, on white where it is transparent."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image).convert("RGB")


def at_size(image: Image.Image, size: tuple[int, int], *, what: str) -> Image.Image:
    """A mask or an original brought to the size of the picture it belongs to. BadRequest where the proportions are others."""
    if image.size == size:
        return image
    if abs(image.width * size[1] / image.height - size[0]) > 8 and abs(image.height * size[0] / image.width - size[1]) > 8:
        shown = f"{image.width}×{image.height}"
        raise BadRequest(f"{what} is {shown}, its picture {size[0]}×{size[1]}: other proportions, so they do not lie on each other.")
    resampling = Image.Resampling.BOX if image.width >= size[0] else Image.Resampling.BICUBIC
    return image.resize(size, resampling)
