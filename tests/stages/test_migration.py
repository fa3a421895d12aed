"""Recipes of earlier forms say the same in today's."""

from __future__ import annotations

from typing import Any

import pytest

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.recipe import VERSION
from lib_extension.stages import load_recipe, read_stage
from lib_extension.stages.inpaint import InpaintStage
from lib_extension.stages.migration import up_to_date

FIRST: dict[str, Any] = {
    "name": "product-shots",
    "inputs": {"drawing": "inputs/watch.png"},
    "rows": [{"place": "on a beach"}],
    "settings": {"prompt": "a red watch {place}", "steps": 20, "seed": 7},
    "stages": [
        {
            "name": "base",
            "type": "txt2img",
            "controlnet": [{"image": "drawing", "module": "canny", "model": "demo"}],
            "settings": {"width": 128, "height": 128},
        },
        {
            "name": "background",
            "type": "img2img",
            "takes": "base",
            "mask": {"alpha_of": "drawing", "invert": True},
            "settings": {"mask_blur": 2},
        },
        {"name": "upscale", "type": "img2img", "takes": "background", "scale": 2, "settings": {"denoising_strength": 0.15, "steps": 9}},
    ],
}


def test_the_first_form():
    recipe = load_recipe(FIRST)
    assert recipe.version == VERSION
    assert (recipe.inputs["drawing"].type, recipe.inputs["drawing"].default) == ("image", "inputs/watch.png")
    base, background, upscale = (read_stage({**stage, "prompt": "x"}) for stage in recipe.stages)
    assert (base.id, base.type, background.id, background.type, upscale.type) == ("base", "txt2img", "background", "inpaint", "img2img")
    assert (getattr(base, "width", 0), getattr(base, "steps", 0), getattr(base, "seed", 0)) == (128, 20, 7)
    assert isinstance(background, InpaintStage)
    assert background.takes == ("base",)
    assert (background.mask_blur, background.denoising_strength) == (2, 0.75)
    # What the API fills in by itself, and that form left out.
    assert (background.inpainting_fill, background.inpaint_full_res, background.inpaint_full_res_padding) == (0, True, 0)
    assert recipe.stages[2]["steps"] == 9


def test_steps_that_were_nowhere_said_were_fifty():
    stages = [{"name": "base", "type": "txt2img"}]
    assert load_recipe({"name": "x", "stages": stages}).stages[0]["steps"] == 50


def test_todays_form_stays_as_it_is():
    data = {"name": "x", "stages": [{"id": "a", "type": "txt2img"}]}
    assert up_to_date(data) == {**data, "version": VERSION}
    assert up_to_date({**data, "version": VERSION}) == {**data, "version": VERSION}


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (VERSION + 1, f"reads recipes up to version {VERSION}. Install a newer one"),
        (-1, "must be a whole number"),
        ("1", "must be a whole number"),
        (True, "must be a whole number"),
        (None, "must be a whole number"),
    ],
)
def test_versions_that_cannot_be(version: object, message: str):
    with pytest.raises(BadRequest, match=message):
        load_recipe({"version": version, "name": "x", "stages": [{"id": "a", "type": "txt2img"}]})


@pytest.mark.parametrize(
    "broken",
    [
        {"inputs": ["x"]},
        {"settings": "x"},
        {"stages": [{"name": "a", "settings": 3, "type": "img2img", "mask": {}}]},
        {"stages": [{"name": ["a"], "type": "txt2img"}]},
    ],
)
def test_broken_recipes_of_that_form_are_refused_as_any(broken: dict[str, Any]):
    with pytest.raises(BadRequest):
        load_recipe({**FIRST, **broken})


@pytest.mark.parametrize(
    "broken", [{"version": 0, "name": "x"}, {"version": 0, "name": "x", "stages": [3, {"id": "a"}]}, {"version": 0, "stages": {}}]
)
def test_a_version_that_does_not_fit_the_form(broken: dict[str, Any]):
    with pytest.raises(BadRequest):
        load_recipe(broken)
