"""What does a picture look like when it is prepared: cropped, resized, its background filled or masked? One picture at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageColor

from lib_extension.spec.dataset import Box, PrepareSettings
from lib_extension.spec.errors import BadRequest
from trainer.data.pictures import colours, has_alpha

Pixels = tuple[int, int, int, int]  # left, top, right, bottom
FindSubject = Callable[[Image.Image, Pixels], Image.Image]
Upscale = Callable[[Image.Image], Image.Image]
_FAINT = 0.002  # share of the picture below which a mask shows nothing


@dataclass(frozen=True)
class Tools:
    """What preparing needs beside the settings; each is asked only where it is wanted."""

    subject: FindSubject  # an upright picture and a part of it → that part's mask, mode L, of its size
    upscale: Upscale  # twice as large, or more
    beside: Image.Image | None = None  # the mask that goes along with the picture, mode L, of its size


@dataclass(frozen=True)
class Prepared:
    """The picture, and its mask where the background is to be masked, or the picture came with one."""

    picture: Image.Image
    mask: Image.Image | None = None


def prepared(picture: Image.Image, name: str, settings: PrepareSettings, tools: Tools) -> Prepared:
    """`picture` is upright, `name` its path in the folder. Raises BadRequest where it cannot be done."""
    shape = aspect_of(settings.aspect)
    box = _pixels(settings.boxes[name], picture) if name in settings.boxes else (0, 0, *picture.size)
    mask = tools.subject(picture, box) if wants_subject(settings) else None
    picture, beside = picture.crop(box), tools.beside.crop(box) if tools.beside else None
    box = (0, 0, *picture.size)
    if settings.crop == "subject" and mask is not None:
        box = around(mask, settings.margin)
    if shape or settings.crop == "centre":
        box = widened(box, picture.size, shape or 1.0, may_grow=settings.crop == "subject")
    picture = _resized(picture.crop(box), settings, tools)
    if settings.background == "keep":
        return Prepared(picture, _along(beside, box, picture))
    mask = _along(mask, box, picture)
    if settings.background == "colour" and mask is not None:
        return Prepared(Image.composite(colours(picture), Image.new("RGB", picture.size, colour_of(settings.colour)), mask))
    return Prepared(picture, mask)


def wants_subject(settings: PrepareSettings) -> bool:
    """Whether a mask of the subject is needed."""
    return settings.background != "keep" or settings.crop == "subject"


def aspect_of(text: str) -> float:
    """Width to height of a text such as "2:3"; 0 of an empty one."""
    if not text:
        return 0.0
    try:
        width, height = (float(part) for part in text.split(":"))
    except ValueError:
        width = height = 0.0
    if not (0 < width < 1e6 and 0 < height < 1e6):
        raise BadRequest(f'aspect is "{text}"; it must be width and height such as "2:3".')
    return width / height


def colour_of(text: str) -> tuple[int, int, int]:
    """RGB of a colour's name or number."""
    try:
        return ImageColor.getrgb(text)[:3]
    except ValueError as problem:
        raise BadRequest(f'colour is "{text}"; it must be a colour such as "#f0e0d0" or "white".') from problem


def around(mask: Image.Image, margin: float) -> Pixels:
    """The box of what the mask shows, with room around it; the whole picture where it shows nothing."""
    seen = np.asarray(mask) > 127  # H W
    if seen.mean() < _FAINT:
        return 0, 0, mask.width, mask.height
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    left, top, right, bottom = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    room = round(margin * max(right - left, bottom - top))
    return max(0, left - room), max(0, top - room), min(mask.width, right + room), min(mask.height, bottom + room)


def widened(box: Pixels, size: tuple[int, int], shape: float, may_grow: bool) -> Pixels:
    """The box in the wanted shape (width to height): grown where the picture has room, else cut, about its middle."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    if may_grow:
        width, height = max(width, round(height * shape)), max(height, round(width / shape))
    width, height = min(width, size[0]), min(height, size[1])
    width, height = min(width, max(1, round(height * shape))), min(height, max(1, round(width / shape)))
    x = min(max(0, round((left + right - width) / 2)), size[0] - width)
    y = min(max(0, round((top + bottom - height) / 2)), size[1] - height)
    return x, y, x + width, y + height


def _along(mask: Image.Image | None, box: Pixels, picture: Image.Image) -> Image.Image | None:
    """What was done to the picture, done to its mask."""
    return mask.crop(box).resize(picture.size, Image.Resampling.LANCZOS) if mask else None


def _pixels(box: Box, picture: Image.Image) -> Pixels:
    w, h = picture.size
    left, top = min(w - 1, round(box.left * w)), min(h - 1, round(box.top * h))
    return left, top, max(left + 1, round(box.right * w)), max(top + 1, round(box.bottom * h))


def _resized(picture: Image.Image, settings: PrepareSettings, tools: Tools) -> Image.Image:
    wanted, shorter = settings.resize, min(picture.size)
    if not wanted or wanted == shorter or (wanted > shorter and settings.enlarge == "no"):
        return picture
    if settings.enlarge == "upscaler":
        while min(picture.size) < wanted:
            larger = tools.upscale(colours(picture))
            picture = _with_alpha(larger, picture) if has_alpha(picture) else larger
    share = wanted / min(picture.size)
    size = max(1, round(picture.width * share)), max(1, round(picture.height * share))
    picture = picture.convert("RGBA" if has_alpha(picture) else "RGB")
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _with_alpha(larger: Image.Image, picture: Image.Image) -> Image.Image:
    larger = larger.copy()
    larger.putalpha(picture.convert("RGBA").getchannel("A").resize(larger.size, Image.Resampling.LANCZOS))
    return larger
