"""Answers what stages ask as a WebUI would, from the pictures that are sent: quick, repeatable, and with its recorded habits.

It draws over everything that it may, so that whatever a stage promises to keep must be kept by the stage.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from lib_extension.pictures import masks
from lib_extension.pictures.png import decode_picture, encode_png
from lib_extension.pictures.sizes import floor_to_8
from lib_extension.spec.calls import Call, ModelMask
from lib_extension.spec.sdapi import Detect, ExtraSingle, Img2Img, Txt2Img
from lib_extension.spec.settings import from_json
from lib_extension.stages import STAGES
from lib_extension.stages.stage import Answer, Given, Outcome, Picture
from tests.masks.asked import carried_out

PHOTO = Image.open(Path(__file__).parents[2] / "lib_extension" / "recipes" / "inputs" / "watch-photo.jpg").convert("RGB")


def photo(width: int, height: int, place: int = 0) -> Image.Image:
    """A part of a real picture."""
    left, top = 200 + 31 * place, 180 + 17 * place
    return PHOTO.crop((left, top, left + 240, top + 240)).resize((width, height), Image.Resampling.BICUBIC)


def stage(type: str, **settings: Any) -> Any:
    """A stage's settings, read as from a recipe."""
    return from_json(STAGES[type].settings, {"id": "s", "type": type, **settings})


def run(settings: Any, *taken: Image.Image | Picture, seed: int = 7, labels: Any = (), **others: Image.Image | Picture) -> Outcome:
    """What a stage gives, its calls answered by `paint`."""
    return asked(settings, *taken, seed=seed, labels=labels, **others)[0]


def asked(
    settings: Any, *taken: Image.Image | Picture, seed: int = 7, labels: Any = (), **others: Image.Image | Picture
) -> tuple[Outcome, list[Any]]:
    """What a stage gives, and what it asked."""
    given = Given(
        settings,
        tuple(stored(one) for one in taken),
        {name: stored(one) for name, one in others.items()},
        seed,
        labels or tuple({"item": place, "stage": "base", "index": place} for place in range(len(taken))),
    )
    return carried_out(STAGES[settings.type].work(given), paint)


def stored(image: Image.Image | Picture) -> Picture:
    """A picture as it comes from the store."""
    return image if isinstance(image, Picture) else Picture(encode_png(image, "a photograph"), "a photograph", 3)


def pixels(image: Image.Image | Picture) -> np.ndarray:
    """(H, W, …) as whole numbers that can be subtracted."""
    return np.asarray(image.image if isinstance(image, Picture) else image).astype(int)


def paint(call: Call) -> Answer:
    """The answer to one call."""
    if isinstance(call, Txt2Img):
        size = (call.hr_resize_x, call.hr_resize_y) if call.enable_hr else (call.width, call.height)
        return _drawn(call, lambda seed: _noise(*size, seed))
    if isinstance(call, Img2Img):
        return _drawn(call, lambda seed: _redrawn(call, seed))
    if isinstance(call, ExtraSingle):
        image = decode_picture(call.image, what="image")
        size = [floor_to_8(int(side * call.upscaling_resize)) for side in image.size]
        return Answer((Picture(encode_png(image.resize((size[0], size[1]), Image.Resampling.BICUBIC))),))
    if isinstance(call, Detect):
        image = decode_picture(call.controlnet_input_images[0], what="image")
        return Answer((Picture(encode_png(image.convert("L").filter(ImageFilter.FIND_EDGES))),))
    assert isinstance(call, ModelMask)
    bright = masks.threshold(decode_picture(call.image, what="image").convert("L"), 128)
    return Answer((Picture(encode_png(bright)),))


def _drawn(call: Txt2Img | Img2Img, draw: Any) -> Answer:
    seeds = [call.seed + place for place in range(call.batch_size * call.n_iter)]
    texts = [f"{call.prompt}\nSteps: {call.steps}, Seed: {seed}" for seed in seeds]
    return Answer(tuple(Picture(encode_png(draw(seed), text), text, seed) for seed, text in zip(seeds, texts, strict=True)))


def _noise(width: int, height: int, seed: int) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (floor_to_8(height), floor_to_8(width), 3), np.uint8)
    return Image.fromarray(values)


def _redrawn(call: Img2Img, seed: int) -> Image.Image:
    """Every pixel other than it was, also outside a mask. "Only masked" keeps the size of the picture that was sent."""
    assert call.init_images is not None
    image = decode_picture(call.init_images[0], what="init_images")
    if not (call.mask and call.inpaint_full_res):
        image = image.resize((floor_to_8(call.width), floor_to_8(call.height)))
    return ImageChops.add_modulo(image.convert("RGB"), Image.new("RGB", image.size, (64 + seed % 7, 90, 120)))
