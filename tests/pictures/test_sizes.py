"""Resizing gives the WebUI's pixels in each of its modes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lib_extension.pictures.sizes import CROP, FILL, LATENT, STRETCH, floor_to_8, resize_image
from lib_extension.spec.errors import BadRequest

RECORDED = np.load(Path(__file__).parents[1] / "data" / "webui_pictures.npz")
BASE = Image.fromarray(RECORDED["base"])  # 30×20


@pytest.mark.parametrize("name", [name for name in RECORDED if name.startswith("resize/")])
def test_as_the_webui(name: str):
    _, mode, size = name.split("/")
    width, height = map(int, size.split("x"))
    ours = np.asarray(resize_image(int(mode), BASE, width, height)).astype(int)
    theirs = RECORDED[name].astype(int)
    assert ours.shape == theirs.shape
    black = np.all(theirs == 0, axis=(1, 2)), np.all(theirs == 0, axis=(0, 2))  # rows and columns that the WebUI forgets to fill
    assert np.array_equal(ours[~black[0]][:, ~black[1]], theirs[~black[0]][:, ~black[1]])
    assert max(b.sum() for b in black) <= 1


@given(st.sampled_from([STRETCH, CROP, FILL]), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_every_pixel_is_filled(mode: int, width: int, height: int, to_width: int, to_height: int):
    resized = resize_image(mode, Image.new("L", (width, height), 200), to_width, to_height)
    assert resized.size == (to_width, to_height)
    assert resized.getextrema() == (200, 200)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("how", [STRETCH, CROP, FILL])
def test_modes_stay(mode: str, how: int):
    assert resize_image(how, BASE.convert(mode), 16, 40).mode == mode


def test_upscaler_is_asked_only_where_the_picture_grows():
    asked = []

    def upscale(image: Image.Image, factor: float) -> Image.Image:
        asked.append(factor)
        return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.NEAREST)

    resize_image(STRETCH, BASE, 60, 20, upscale)
    resize_image(STRETCH, BASE, 15, 10, upscale)
    resize_image(CROP, BASE, 60, 60, upscale)
    resize_image(STRETCH, BASE.convert("L"), 60, 40, upscale)  # a mask
    assert asked == [2.0, 3.0]
    doubled = resize_image(STRETCH, BASE, 60, 40, upscale)
    assert np.array_equal(np.asarray(doubled), np.asarray(BASE).repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize("mode", [LATENT, -1, 4])
def test_other_modes_are_refused(mode: int):
    with pytest.raises(BadRequest, match=f"resize_mode is {mode}"):
        resize_image(mode, BASE, 8, 8)


@given(st.integers(0, 10**6))
def test_floor_to_8(pixels: int):
    assert floor_to_8(pixels) % 8 == 0
    assert 0 <= pixels - floor_to_8(pixels) < 8
