"""Does a redrawn picture get the original's colours, and keep its own brightness?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_extension.engine.colour_correction import LUMA, with_colours_of
from lib_extension.engine.img2img import img2img
from lib_extension.spec.sdapi import Img2Img
from tests.engine.inside import base64_of, engine_over, mean_difference, scene, values


def tinted(image: Image.Image) -> Image.Image:
    return Image.fromarray((values(image) * [1.0, 0.7, 0.6] + [0, 20, 40]).astype(np.uint8))


def photograph() -> Image.Image:
    """Many colours, so that ranks are fine."""
    rows, columns = np.mgrid[0:64, 0:96]
    return Image.fromarray(np.stack([60 + columns, 200 - 2 * rows, 90 + rows], axis=2).astype(np.uint8))


def hue(image: Image.Image) -> np.ndarray:
    """What is left of the colours without their brightness."""
    return values(image) - (values(image) @ LUMA)[:, :, None]


def test_a_picture_of_the_same_colours_stays() -> None:
    assert mean_difference(with_colours_of(photograph(), photograph()), photograph()) < 2


def test_a_tint_goes_and_the_brightness_stays() -> None:
    original, made = photograph(), tinted(photograph())
    corrected = with_colours_of(original, made)
    assert np.abs(hue(corrected) - hue(original)).mean() < 0.6 * np.abs(hue(made) - hue(original)).mean()
    assert np.abs(values(corrected) @ LUMA - values(made) @ LUMA).mean() < 1.5


def test_what_is_matched_may_have_another_size() -> None:
    assert with_colours_of(scene(20, 10), photograph()).size == (96, 64)


@pytest.mark.parametrize("colour", ["black", "white", "red"])
def test_a_picture_of_one_colour_can_be_matched(colour: str) -> None:
    corrected = with_colours_of(Image.new("RGB", (8, 8), colour), photograph())
    assert np.abs(values(corrected) @ LUMA - values(photograph()) @ LUMA).max() < 3


@pytest.mark.parametrize("full", [None, False, True])
def test_img2img_heeds_the_option(sd1_folder: Path, full: bool | None) -> None:
    engine = engine_over(sd1_folder.parents[1], sd1_folder.name)
    mask = Image.new("L", (96, 64))
    mask.paste(255, (40, 20, 64, 40))
    masked = {} if full is None else {"mask": base64_of(mask), "inpaint_full_res": full, "mask_blur": 0}
    request = {
        "init_images": [base64_of(scene(96, 64))],
        "width": 96,
        "height": 64,
        "steps": 2,
        "seed": 1,
        "sampler_name": "Euler",
        **masked,
    }
    plain = img2img(engine, Img2Img(**request)).images[0]
    corrected = img2img(engine, Img2Img(**request, override_settings={"img2img_color_correction": True})).images[0]
    if full is None:
        assert np.array_equal(values(corrected), values(with_colours_of(scene(96, 64), plain)))
    else:
        changed = np.abs(values(corrected) - values(plain)).max(axis=2) > 0
        assert changed[20:40, 40:64].any()
        changed[20:40, 40:64] = False
        assert not changed.any()
