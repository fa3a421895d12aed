"""Is the right part of a picture redrawn, and everything else left as it was?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_extension.engine.engine import Engine
from lib_extension.engine.generated import Generated
from lib_extension.engine.img2img import img2img
from lib_extension.pictures import masks
from lib_extension.spec.errors import AtelierError, BadRequest
from lib_extension.spec.sdapi import Img2Img
from tests.engine.inside import base64_of, engine_over, largest_difference, mean_difference, scene, values

WIDTH, HEIGHT = 96, 64
MASK_BOX = (40, 20, 64, 40)


@pytest.fixture
def engine(sd1_folder: Path) -> Engine:
    return engine_over(sd1_folder.parents[1], sd1_folder.name)


@pytest.fixture
def lenient(sd1_folder: Path) -> Engine:
    return engine_over(sd1_folder.parents[1], sd1_folder.name, lenient=True)


def picture() -> Image.Image:
    return scene(WIDTH, HEIGHT)


def mask(box: tuple[int, int, int, int] = MASK_BOX) -> Image.Image:
    image = Image.new("L", (WIDTH, HEIGHT))
    image.paste(255, box)
    return image


def make(engine: Engine, **more: Any) -> Generated:
    base: dict[str, Any] = {
        "prompt": "a cat",
        "steps": 4,
        "width": WIDTH,
        "height": HEIGHT,
        "seed": 1,
        "sampler_name": "Euler",
        "init_images": [base64_of(picture())],
        "mask_blur": 2,
    }
    return img2img(engine, Img2Img(**{**base, **more}))


@pytest.mark.parametrize("only_masked", [True, False])
@pytest.mark.parametrize("fill", [0, 1, 2, 3])
def test_outside_the_mask_every_bit_stays(engine: Engine, only_masked: bool, fill: int) -> None:
    made = make(engine, mask=base64_of(mask()), inpaint_full_res=only_masked, inpaint_full_res_padding=8, inpainting_fill=fill)
    untouched = np.asarray(masks.blur(mask(), 2, 2)) == 0
    difference = np.abs(values(made.images[0]) - values(picture())).max(axis=2)
    assert difference[untouched].max() == 0
    assert difference[np.asarray(mask()) == 255].mean() > 3
    assert ("Masked content: " + ("fill", "original", "latent noise", "latent nothing")[fill] in made.infotexts[0]) == (fill != 1)
    assert ("Inpaint area: Only masked, Masked area padding: 8" in made.infotexts[0]) == only_masked


def test_an_inverted_mask_is_the_other_part(engine: Engine) -> None:
    made = make(engine, mask=base64_of(mask()), inpainting_mask_invert=1, mask_blur=0, inpaint_full_res=False)
    inside = np.asarray(mask()) == 255
    assert np.abs(values(made.images[0]) - values(picture()))[inside].max() == 0
    assert "Mask mode: Inpaint not masked" in made.infotexts[0]


def test_a_small_strength_changes_little_and_none_of_the_steps_is_lost(engine: Engine) -> None:
    weak, strong = (make(engine, denoising_strength=strength).images[0] for strength in (0.1, 1.0))
    decoded = make(engine, denoising_strength=0.0).images[0]
    assert mean_difference(weak, decoded) < mean_difference(strong, decoded)


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_every_resize_mode_gives_the_size_asked_for(engine: Engine, mode: int) -> None:
    assert make(engine, resize_mode=mode, width=64, height=72).images[0].size == (64, 72)


def test_several_pictures_make_a_batch(engine: Engine) -> None:
    other = Image.new("RGB", (WIDTH, HEIGHT), (10, 200, 30))
    made = make(engine, init_images=[base64_of(picture()), base64_of(other)], batch_size=2, denoising_strength=0.3)
    alone = make(engine, init_images=[base64_of(other)], seed=2, denoising_strength=0.3)
    assert len(made.images) == 2
    assert largest_difference(made.images[1], alone.images[0]) <= 1


def test_transparency_takes_the_background_colour(engine: Engine) -> None:
    clear = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 0))
    white = Image.new("RGB", (WIDTH, HEIGHT), "white")
    assert (
        largest_difference(make(engine, init_images=[base64_of(clear)]).images[0], make(engine, init_images=[base64_of(white)]).images[0])
        == 0
    )


def test_a_picture_without_a_unit_image_guides_a_controlnet(engine: Engine, controlnet_folder: Path) -> None:
    engine.library.refresh()
    unit = {"enabled": True, "module": "canny", "model": controlnet_folder.name, "pixel_perfect": True}
    made = make(engine, alwayson_scripts={"controlnet": {"args": [unit]}})
    assert [image.size for image in made.images] == [(WIDTH, HEIGHT)] * 2
    assert next(iter(made.info.extra_generation_params)) == "ControlNet 0"
    assert 0 < (values(made.images[1]) > 127).mean() < 0.3  # Lines.
    cropped = make(engine, mask=base64_of(mask()), inpaint_full_res_padding=4, alwayson_scripts={"controlnet": {"args": [unit]}})
    assert largest_difference(cropped.images[1], made.images[1]) == 255  # The map of the part that is redrawn.


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"init_images": []}, "init_images"),
        ({"init_images": ["bm90IGEgcGljdHVyZQ=="]}, r"init_images\[0\]"),
        ({"mask": base64_of(Image.new("L", (WIDTH, HEIGHT)))}, "mask is empty"),
        ({"mask": base64_of(Image.new("L", (32, 32), 255))}, "one size"),
        ({"resize_mode": 4}, "resize_mode is 4"),
        ({"inpainting_fill": 4}, "inpainting_fill is 4"),
        ({"denoising_strength": 1.5}, "denoising_strength is 1.5"),
        ({"init_images": [base64_of(scene())] * 3, "batch_size": 2}, "3 init_images for a batch_size of 2"),
    ],
)
def test_what_is_wrong_is_refused_in_plain_words(engine: Engine, more: dict[str, Any], says: str) -> None:
    with pytest.raises(AtelierError, match=says):
        make(engine, **more)


def test_lenient_redraws_everything_when_the_mask_is_empty(lenient: Engine) -> None:
    made = make(lenient, mask=base64_of(Image.new("L", (WIDTH, HEIGHT))))
    assert "Inpaint area" not in made.infotexts[0]
    assert largest_difference(made.images[0], make(lenient).images[0]) == 0
    with pytest.raises(BadRequest):
        make(lenient, init_images=[base64_of(scene())] * 3, batch_size=2)
