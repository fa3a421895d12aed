"""How does a picture's file become pixels, whatever kind of file it is?

As it is seen: turned as EXIF says, transparent places white, 16 bits rounded to 8, the first of several frames.
"""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from lib_extension.pictures.masks import from_picture
from lib_extension.spec.errors import BadFile

MOST_PIXELS = 89_478_485  # from here on Pillow suspects a file made to fill memory
OTHER_ENDINGS = (".heic", ".heif", ".jxl", ".psd", ".svg", ".raw", ".cr2", ".nef", ".dng", ".exr", ".hdr", ".mp4", ".webm")

# What Pillow raises for damaged files depends on the format's reader.
DAMAGE = (OSError, RuntimeError, ValueError, SyntaxError, TypeError, LookupError, EOFError, OverflowError, struct.error, zlib.error)

_SIXTEEN_BITS = 65535
_WHITE = (255, 255, 255)


class TooManyPixels(Exception):
    """The file says that it is larger than MOST_PIXELS."""


class UnknownPixels(Exception):
    """Its pixels are of a kind that has no sure brightness, such as floating-point numbers; the argument names it."""


def file_hash(data: bytes) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(data).hexdigest()


def opened(data: bytes) -> Image.Image:
    """The picture, not yet decoded. Raises TooManyPixels, or one of DAMAGE."""
    try:
        image = Image.open(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise TooManyPixels from error
    if image.width * image.height > MOST_PIXELS:
        raise TooManyPixels
    return image


def upright(image: Image.Image) -> Image.Image:
    """Decoded, and turned as its EXIF says; EXIF that cannot be read says nothing. Raises one of DAMAGE, or UnknownPixels."""
    image.load()
    image = _eight_bits(image)
    try:
        image = ImageOps.exif_transpose(image)
    except DAMAGE:
        pass
    return image.convert("RGB") if image.mode == "LAB" else image  # Pillow makes nothing else of it


def has_alpha(image: Image.Image) -> bool:
    """Whether some places may be transparent."""
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def colours(image: Image.Image) -> Image.Image:
    """Mode RGB; what is transparent becomes white."""
    if not has_alpha(image):
        return image.convert("RGB")
    layer = image.convert("RGBA")
    ground = Image.new("RGB", layer.size, _WHITE)
    ground.paste(layer, mask=layer.getchannel("A"))
    return ground


def alpha(image: Image.Image) -> Image.Image | None:
    """Mode L, 0 where it is transparent; None where it cannot be."""
    return image.convert("RGBA").getchannel("A") if has_alpha(image) else None


def as_mask(image: Image.Image) -> Image.Image:
    """Mode L: a mask's file as a mask, by its alpha channel where that says something, else by its brightness."""
    return from_picture(image.convert("RGBA") if has_alpha(image) else image, rounded=False)


def read_again(file: Path, sha256: str) -> Image.Image:
    """A picture that was looked at before. BadFile where the file is no longer the same."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadFile(f'"{file.name}" could be read before, and now cannot: {error.strerror}. Start again.') from error
    if file_hash(data) != sha256:
        raise BadFile(f'"{file.name}" was changed while it was in use. Start again.')
    return upright(opened(data))


def _eight_bits(image: Image.Image) -> Image.Image:
    """Pillow cuts off brighter grey values of 16 bits instead of scaling them."""
    if image.mode == "F":
        raise UnknownPixels("floating-point numbers")
    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image).astype(np.int64)  # H W
    if values.min() < 0 or values.max() > _SIXTEEN_BITS:
        raise UnknownPixels("numbers of 32 bits")
    scaled = Image.fromarray((values * 255 // _SIXTEEN_BITS).astype(np.uint8))
    scaled.info = image.info
    scaled.getexif().update(image.getexif())
    return scaled
