"""Is a stage's call what the recipe says: sizes, masks, control units, settings?"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lib_extension.pictures.png import decode_picture
from lib_extension.runs.calls import call_for, mask_from_alpha, on_white
from lib_extension.runs.small_recipe import Control, Mask, Recipe, Stage
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.sdapi import Img2Img, Txt2Img


def drawing() -> Image.Image:
    """Left half red, right half a hole."""
    picture = Image.new("RGBA", (32, 32), (200, 0, 0, 255))
    picture.paste((0, 0, 0, 0), (16, 0, 32, 32))
    return picture


def recipe_of(*stages: Stage) -> Recipe:
    shared = {"prompt": "a mug {place}", "steps": 4, "width": 64, "height": 48}
    return Recipe(name="r", inputs={"drawing": "d.png"}, rows=({"place": "at night"},), settings=shared, stages=stages)


def test_txt2img_with_a_control_unit() -> None:
    stage = Stage(name="base", type="txt2img", controlnet=(Control(image="drawing", model="demo", weight=0.5),), settings={"steps": 7})
    recipe = recipe_of(stage)
    body = call_for(recipe, stage, recipe.rows[0], {"drawing": drawing()}, None)
    assert isinstance(body, Txt2Img)
    assert (body.prompt, body.steps, body.width, body.height) == ("a mug at night", 7, 64, 48)
    (unit,) = body.alwayson_scripts["controlnet"]["args"]
    assert (unit["enabled"], unit["module"], unit["model"], unit["weight"]) == (True, "canny", "demo", 0.5)
    guide = decode_picture(unit["image"], what="unit")
    assert (guide.mode, guide.getpixel((0, 0)), guide.getpixel((31, 0))) == ("RGB", (200, 0, 0), (255, 255, 255))


def test_img2img_takes_its_size_from_the_picture() -> None:
    stage = Stage(name="up", type="img2img", takes="base", scale=1.5, settings={"denoising_strength": 0.3})
    recipe = recipe_of(stage)
    taken = Image.new("RGB", (40, 24), (1, 2, 3))
    body = call_for(recipe, stage, recipe.rows[0], {}, taken)
    assert isinstance(body, Img2Img)
    assert (body.width, body.height, body.denoising_strength, body.mask) == (64, 40, 0.3, None)  # 60 and 36, to a multiple of 8
    assert body.init_images is not None
    assert decode_picture(body.init_images[0], what="init").tobytes() == taken.tobytes()


@pytest.mark.parametrize(("invert", "left", "right"), [(False, 255, 0), (True, 0, 255)])
def test_the_mask_is_the_drawings_own_alpha(invert: bool, left: int, right: int) -> None:
    mask = np.asarray(mask_from_alpha(Mask(alpha_of="drawing", invert=invert), drawing(), (16, 8)))
    assert mask.shape == (8, 16)
    assert (mask[:, :8] == left).all()
    assert (mask[:, 8:] == right).all()


def test_a_picture_without_alpha_gives_no_mask() -> None:
    with pytest.raises(BadRequest, match='"photo" has no transparent ground'):
        mask_from_alpha(Mask(alpha_of="photo"), Image.new("RGB", (8, 8)), (8, 8))


def test_half_transparent_mixes_with_white() -> None:
    assert on_white(Image.new("RGBA", (1, 1), (0, 0, 0, 51))).getpixel((0, 0)) == (204, 204, 204)


def test_each_row_names_its_own_picture() -> None:
    stage = Stage(name="s", type="img2img", takes="t", mask=Mask(alpha_of="{product}"), controlnet=(Control(image="{product}", model="m"),))
    small, large = Image.new("RGBA", (8, 8), (255, 0, 0, 255)), Image.new("RGBA", (16, 16), (0, 0, 255, 0))
    inputs = {"a": small, "b": large}
    for name, colour, redrawn in (("a", (255, 0, 0), 255), ("b", (255, 255, 255), 0)):
        body = call_for(Recipe(name="r", stages=(stage,)), stage, {"product": name}, inputs, Image.new("RGB", (64, 64)))
        assert isinstance(body, Img2Img)
        shown = decode_picture(body.alwayson_scripts["controlnet"]["args"][0]["image"], what="it")
        assert shown.getpixel((0, 0)) == colour
        assert decode_picture(body.mask or "", what="it").getextrema() == (redrawn, redrawn)
