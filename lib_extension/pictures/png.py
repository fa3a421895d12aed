"""How pictures come in and go out as text: base64 or data URL to a picture, and a picture to PNG with its infotext.

What comes in is hostile until shown otherwise: it is measured before it is decoded, and every way of being broken is a BadRequest or
TooLarge that names the field.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import struct
import zlib
from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin

from lib_extension.spec.errors import BadRequest, TooLarge

MOST_PIXELS = 64_000_000
LONGEST_BASE64 = 128_000_000  # characters
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")  # Pillow knows dozens; each is more code for a broken file to hit

# What Pillow raises on broken files, by format.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
)
_BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)


def decode_picture(text: str, *, what: str) -> Image.Image:
    """The picture in `text` (base64, or a data URL), its mode L, RGB or RGBA, turned as its EXIF says; `info` holds its metadata.

    `what` is the name of the field it came in, for the messages of BadRequest and TooLarge.
    """
    return open_picture(picture_bytes(text, what=what), what=what)


def open_picture(data: bytes, *, what: str) -> Image.Image:
    """As decode_picture, from the bytes of a file."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        if image.width * image.height > MOST_PIXELS:
            raise TooLarge(f"{what} has {image.width}×{image.height} pixels; {MOST_PIXELS // 1_000_000} megapixels is the most.")
        image.load()
        turned = ImageOps.exif_transpose(image)
        return _in_plain_mode(turned)
    except _BOMB as problem:
        raise TooLarge(f"{what} has too many pixels; {MOST_PIXELS // 1_000_000} megapixels is the most.") from problem
    except _BROKEN as problem:
        known = ", ".join(FORMATS)
        raise BadRequest(f"{what} is not a whole picture of a known kind ({known}). Is it cut off, or another kind of file?") from problem


def picture_bytes(text: str, *, what: str) -> bytes:
    """The bytes behind base64 or a data URL, not looked at further. Errors as decode_picture's."""
    if len(text) > LONGEST_BASE64:
        raise TooLarge(f"{what} has {len(text) // 1_000_000} MB of base64; {LONGEST_BASE64 // 1_000_000} MB is the most.")
    if re.match(r"\s*https?:", text[:100]):
        raise BadRequest(f"{what} is a web address, and nothing is fetched from there. Send the picture itself as base64.")
    if text.startswith("data:"):
        head, comma, text = text.partition(",")
        if not comma or not head.endswith(";base64"):
            raise BadRequest(f"{what} is a data URL without base64 in it.")
    if not text.strip():
        raise BadRequest(f"{what} is empty. Send a picture as base64.")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as problem:
        raise BadRequest(f"{what} is not base64.") from problem


def encode_png(image: Image.Image, infotext: str | None = None, extra: Mapping[str, str] | None = None) -> bytes:
    """A PNG file; `infotext` becomes its text chunk "parameters", as the WebUI writes it, and `extra` further text chunks."""
    chunks = PngImagePlugin.PngInfo()
    texts = ({"parameters": infotext} if infotext else {}) | dict(extra or {})
    for name, text in texts.items():
        chunks.add_text(name, text.encode("utf-8", "replace").decode())  # a lone surrogate, which JSON can carry, has no UTF-8
    file = io.BytesIO()
    image.save(file, format="PNG", pnginfo=chunks)
    return file.getvalue()


def encode_base64(image: Image.Image, infotext: str | None = None, extra: Mapping[str, str] | None = None) -> str:
    """encode_png's file as base64."""
    return base64.b64encode(encode_png(image, infotext, extra)).decode("ascii")


def read_text_chunks(image: Image.Image) -> dict[str, str]:
    """The texts in a picture's metadata; "parameters" is the infotext, which JPEG and WebP keep in EXIF and GIF in its comment."""
    chunks = {name: text for name, text in image.info.items() if isinstance(name, str) and isinstance(text, str)}
    comment = _user_comment(image)
    gif_comment = image.info.get("comment")
    if not comment and isinstance(gif_comment, bytes):
        comment = gif_comment.decode("utf-8", "ignore")
    if comment:
        chunks["parameters"] = comment
    return chunks


def _in_plain_mode(image: Image.Image) -> Image.Image:
    if image.mode in ("L", "RGB", "RGBA") and "transparency" not in image.info:
        return image
    if image.mode.startswith("I;16") or image.mode == "I":  # 16 bits a channel; convert() would cut off at 255
        plain = Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
        plain.info = dict(image.info)
    elif "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBa"):
        plain = image.convert("RGBA")
    else:
        plain = image.convert("L" if image.mode in ("1", "F") else "RGB")
    plain.info.pop("transparency", None)  # else saving it would make that colour a hole again
    return plain


_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286
_ENCODINGS = {b"UNICODE\0": "utf-16-be", b"ASCII\0\0\0": "ascii", b"JIS\0\0\0\0\0": "shift_jis", b"\0" * 8: "utf-8"}


def _user_comment(image: Image.Image) -> str:
    try:
        comment = image.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT, b"")
    except _BROKEN:
        return ""  # broken EXIF is common, and no reason to refuse a picture that is whole
    if isinstance(comment, str):
        return comment
    if not isinstance(comment, bytes):
        return ""
    encoding = _ENCODINGS.get(comment[:8])
    return (comment[8:] if encoding else comment).decode(encoding or "utf-8", "ignore").strip("\0")
