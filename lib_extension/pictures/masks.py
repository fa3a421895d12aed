"""What can be done with masks: combine, grow, blur, find their box, and fill what they cover, where named so as the WebUI does it.

A mask is a picture of mode L: 255 is chosen (redrawn), 0 is not. A box is (left, top, right, bottom), right and bottom outside.
"""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from lib_extension.spec.errors import BadRequest

Box = tuple[int, int, int, int]

WIDEST_BLUR = 256  # standard deviation; the WebUI's slider ends at 64


def from_picture(image: Image.Image, *, rounded: bool = True) -> Image.Image:
    """The mask in a picture that was sent as one: its alpha channel where it has a use, else its brightness.

    `rounded` (the API's mask_round) makes an alpha channel either chosen or not; brightness stays as it is, as in the WebUI.
    """
    if image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255):
        alpha = image.getchannel("A")
        return threshold(alpha, 128) if rounded else alpha
    return image.convert("L")


def threshold(mask: Image.Image, above: int = 127) -> Image.Image:
    """255 where the mask is over `above`, else 0."""
    return mask.point([0] * (above + 1) + [255] * (255 - above))


def invert(mask: Image.Image) -> Image.Image:
    """Chosen and not chosen exchanged."""
    return ImageChops.invert(mask)


def union(first: Image.Image, second: Image.Image) -> Image.Image:
    """Chosen in either."""
    return ImageChops.lighter(first, second)


def intersection(first: Image.Image, second: Image.Image) -> Image.Image:
    """Chosen in both."""
    return ImageChops.darker(first, second)


def difference(first: Image.Image, second: Image.Image) -> Image.Image:
    """Chosen in the first and not in the second."""
    return ImageChops.darker(first, ImageChops.invert(second))


def grow(mask: Image.Image, pixels: int) -> Image.Image:
    """The mask widened by a disc of radius `pixels`; a negative radius narrows it. Grey values keep their meaning."""
    if pixels < 0:
        return invert(grow(invert(mask), -pixels))
    source = np.asarray(mask)  # H W
    height = source.shape[0]
    grown = source.copy()
    widened, half_width = source, 0
    for dy in range(min(pixels, height - 1), -1, -1):  # from the disc's narrowest row to its widest
        wanted = isqrt(pixels * pixels - dy * dy)
        widened = _widen_rows(widened, wanted - half_width)
        half_width = wanted
        np.maximum(grown[: height - dy], widened[dy:], out=grown[: height - dy])
        np.maximum(grown[dy:], widened[: height - dy], out=grown[dy:])
    return Image.fromarray(grown)


def feather(mask: Image.Image, pixels: float) -> Image.Image:
    """The mask with an edge that fades over about `pixels` to both sides."""
    return blur(mask, pixels / 2, pixels / 2)


def blur(mask: Image.Image, x: float, y: float) -> Image.Image:
    """Gaussian blur with standard deviations `x` and `y` in pixels; 0 or less is none. As the WebUI's mask_blur_x and mask_blur_y."""
    if max(x, y) > WIDEST_BLUR:
        raise BadRequest(f"A mask blur of {max(x, y):g} is too wide; {WIDEST_BLUR} is the most.")
    values = np.asarray(mask)
    for sigma, axis in ((x, 1), (y, 0)):
        if sigma > 0:
            values = _blur_axis(values, sigma, axis)
    return Image.fromarray(values)


def crop_region(mask: Image.Image, padding: int = 0) -> Box | None:
    """The smallest box around everything that is not 0, `padding` wider on each side within the picture; None if all is 0."""
    box = mask.getbbox()
    if box is None:
        return None
    left, top, right, bottom = box
    return max(left - padding, 0), max(top - padding, 0), min(right + padding, mask.width), min(bottom + padding, mask.height)


def expand_to_ratio(box: Box, width: int, height: int, image_width: int, image_height: int) -> Box:
    """The box made wider or higher to have the proportions of width × height, moved so that it stays within the picture.

    Where the picture is too small for that, the box ends with the picture. As the WebUI's "Only masked".
    """
    left, top, right, bottom = box
    ratio = width / height
    if (right - left) / (bottom - top) > ratio:
        top, bottom = _lengthen(top, bottom, int((right - left) / ratio), image_height)
    else:
        left, right = _lengthen(left, right, int((bottom - top) * ratio), image_width)
    return left, top, right, bottom


def fill(image: Image.Image, mask: Image.Image) -> Image.Image:
    """The picture (RGB) with colours from around the mask smeared into it, wide blurs first and narrow ones over them. As the WebUI's
    "fill": a rough ground that the model then paints on."""
    around = Image.new("RGBa", image.size)
    around.paste(image.convert("RGBA").convert("RGBa"), mask=invert(mask.convert("L")))
    filled = Image.new("RGBA", image.size)
    for radius, times in ((256, 1), (64, 1), (16, 2), (4, 4), (2, 2), (0, 1)):
        layer = around.filter(ImageFilter.GaussianBlur(radius)).convert("RGBA")
        for _ in range(times):
            filled.alpha_composite(layer)
    return filled.convert("RGB")


def _widen_rows(values: NDArray[np.uint8], pixels: int) -> NDArray[np.uint8]:
    """The largest value within `pixels` to the left and right, for every place of an H×W array."""
    values = values.copy()
    reach = 0
    while reach < min(pixels, values.shape[1]):  # each pass reaches up to twice as far as the one before
        shift = min(reach + 1, pixels - reach)
        before = values.copy()
        np.maximum(values[:, shift:], before[:, :-shift], out=values[:, shift:])
        np.maximum(values[:, :-shift], before[:, shift:], out=values[:, :-shift])
        reach += shift
    return values


def _blur_axis(values: NDArray[np.uint8], sigma: float, axis: int) -> NDArray[np.uint8]:
    radius = int(2.5 * sigma + 0.5)
    if radius == 0:
        return values
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-(offsets**2) / (2 * sigma**2))
    weights /= weights.sum()
    length = values.shape[axis]
    margins = [(radius, radius) if a == axis else (0, 0) for a in range(2)]
    padded = np.pad(values.astype(np.float32), margins, mode="reflect")
    total = np.zeros(values.shape, np.float32)
    for start, weight in enumerate(weights.astype(np.float32)):
        total += weight * (padded[:, start : start + length] if axis == 1 else padded[start : start + length])
    return np.rint(total).clip(0, 255).astype(np.uint8)


def _lengthen(start: int, end: int, wanted: int, limit: int) -> tuple[int, int]:
    """start..end made `wanted` long round its middle, then moved into 0..limit, then cut to it."""
    added = wanted - (end - start)
    start -= added // 2
    end += added - added // 2
    if end >= limit:
        start, end = start - (end - limit), limit
    if start < 0:
        start, end = 0, end - start
    return start, min(end, limit)
