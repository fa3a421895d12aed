"""Are recipes checked before anything runs, and variables filled in where they stand?"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from lib_extension.runs.small_recipe import Recipe, fill
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import from_json, to_json

GOOD: dict[str, Any] = {
    "name": "r",
    "inputs": {"drawing": "d.png"},
    "rows": [{"place": "on a beach", "seed": 3}, {"place": "at night", "seed": 4}],
    "settings": {"prompt": "a mug {place}", "seed": "{seed}"},
    "stages": [
        {"name": "base", "type": "txt2img", "controlnet": [{"image": "drawing", "model": "demo"}]},
        {"name": "again", "type": "img2img", "takes": "base", "mask": {"alpha_of": "drawing"}, "settings": {"denoising_strength": 0.4}},
    ],
}


def changed(path: str, value: object) -> dict[str, Any]:
    """GOOD with one value replaced or added, at a path such as "stages.0.type"."""
    data = copy.deepcopy(GOOD)
    *outer, last = path.split(".")
    inner: Any = data
    for step in outer:
        inner = inner[int(step)] if step.isdigit() else inner[step]
    inner[last] = value
    return data


def test_a_recipe_is_read_and_written_back() -> None:
    recipe = from_json(Recipe, GOOD)
    assert [stage.name for stage in recipe.stages] == ["base", "again"]
    assert recipe.stages[0].controlnet[0].module == "canny"
    assert from_json(Recipe, to_json(recipe)) == recipe


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("stagez", [], 'stagez is not known. Did you mean "stages"?'),
        ("stages.0.type", "txt2mig", "txt2img"),
        ("stages.1.takes", "bass", 'takes "bass", which is no earlier stage. Did you mean "base"?'),
        ("stages.1.takes", "again", "no earlier stage"),
        ("stages.1.takes", "", "img2img needs"),
        ("stages.1.name", "base", 'Two stages are called "base"'),
        ("stages.0.takes", "base", "txt2img takes no picture"),
        ("stages.1.mask.alpha_of", "drawin", 'Did you mean "drawing"?'),
        ("stages.0.controlnet.0.image", "photo", 'uses "photo", which is no input'),
        ("stages.1.settings", {"denoising_strenght": 0.4}, 'Did you mean "denoising_strength"?'),
        ("stages.1.settings", {"init_images": []}, 'no setting "init_images"'),
        ("settings", {"denoising_strength": 0.4, "enable_hr": True}, 'Not every stage has the setting "enable_hr"'),
        ("settings", {"prompt": "a mug {plaice}"}, 'uses {plaice}, and a row does not have it. Did you mean "place"?'),
        ("rows", [{"place": "x", "seed": 1}, {"place": "y"}], "{seed}"),
    ],
)
def test_what_is_wrong_is_said_with_the_near_miss(path: str, value: object, said: str) -> None:
    with pytest.raises(BadRequest) as caught:
        from_json(Recipe, changed(path, value))
    assert said in str(caught.value)


def test_a_variable_alone_keeps_its_type_and_among_text_becomes_text() -> None:
    row = {"seed": 3, "place": "at night"}
    settings = {"seed": "{seed}", "prompt": "{place}: {seed}", "steps": 4, "script_args": ["{seed}", {"x": "{place}"}]}
    assert fill(settings, row, "s") == {"seed": 3, "prompt": "at night: 3", "steps": 4, "script_args": [3, {"x": "at night"}]}
