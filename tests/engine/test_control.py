"""Do ControlNet units guide as they say?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_extension.engine.engine import Engine
from lib_extension.engine.generated import Generated
from lib_extension.engine.txt2img import txt2img
from lib_extension.spec.errors import AtelierError
from lib_extension.spec.sdapi import Txt2Img
from tests.engine.inside import base64_of, engine_over, largest_difference, mean_difference, scene

MODEL = "tiny_controlnet"


@pytest.fixture
def engine(sd1_folder: Path, controlnet_folder: Path) -> Engine:
    return engine_over(sd1_folder.parents[1], sd1_folder.name)


@pytest.fixture
def lenient(sd1_folder: Path, controlnet_folder: Path) -> Engine:
    return engine_over(sd1_folder.parents[1], sd1_folder.name, lenient=True)


def unit(**more: Any) -> dict[str, Any]:
    return {"enabled": True, "module": "none", "model": MODEL, "image": base64_of(scene()), **more}


def make(engine: Engine, *units: dict[str, Any], **more: Any) -> Generated:
    base: dict[str, Any] = {"prompt": "a cat", "steps": 4, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler"}
    return txt2img(engine, Txt2Img(**{**base, **more}, alwayson_scripts={"controlnet": {"args": list(units)}}))


def test_a_unit_changes_the_picture_and_sends_its_map(engine: Engine) -> None:
    plain, guided = make(engine), make(engine, unit())
    assert len(plain.images) == 1
    assert mean_difference(plain.images[0], guided.images[0]) > 1
    assert largest_difference(guided.images[1], scene()) == 0
    assert len(guided.infotexts) == 1
    assert guided.info.extra_generation_params["ControlNet 0"] == (
        f"Module: none, Model: {MODEL}, Weight: 1.0, Resize Mode: Crop and Resize, Processor Res: 512, Threshold A: 0.5, Threshold B: 0.5, "
        "Guidance Start: 0.0, Guidance End: 1.0, Pixel Perfect: False, Control Mode: Balanced"
    )


@pytest.mark.parametrize("change", [{"weight": 0}, {"enabled": False}, {"advanced_weighting": [0] * 13}, {"hr_option": "High res only"}])
def test_a_unit_without_weight_changes_nothing(engine: Engine, change: dict[str, Any]) -> None:
    assert largest_difference(make(engine).images[0], make(engine, unit(**change)).images[0]) == 0


def test_units_add_up_as_their_weights_do(engine: Engine) -> None:
    once, twice = make(engine, unit(weight=1.0)), make(engine, unit(weight=0.4), unit(weight=0.6))
    assert largest_difference(once.images[0], twice.images[0]) <= 1
    assert len(twice.images) == 3


def test_outside_its_window_a_unit_does_nothing(engine: Engine) -> None:
    whole, early = make(engine, unit()).images[0], make(engine, unit(guidance_end=0.1)).images[0]
    plain, never = make(engine).images[0], make(engine, unit(guidance_start=0.9)).images[0]
    assert largest_difference(plain, never) == 0  # The WebUI's share never reaches the last step.
    assert mean_difference(plain, early) > 0
    assert largest_difference(whole, early) > 0


def test_control_modes_are_soft_weights_and_the_positive_prompt_alone(engine: Engine) -> None:
    soft = [0.825 ** (12 - i) for i in range(13)]
    prompt = make(engine, unit(control_mode="My prompt is more important")).images[0]
    assert largest_difference(prompt, make(engine, unit(advanced_weighting=soft)).images[0]) <= 1
    control = make(engine, unit(control_mode="ControlNet is more important")).images[0]
    assert mean_difference(prompt, control) > 0
    without_guidance = {"cfg_scale": 1}  # Then there is no negative prompt, and the two modes are one.
    assert (
        largest_difference(
            make(engine, unit(control_mode="My prompt is more important"), **without_guidance).images[0],
            make(engine, unit(control_mode="ControlNet is more important"), **without_guidance).images[0],
        )
        == 0
    )


def test_inpaint_only_keeps_the_original_where_nothing_is_masked(engine: Engine) -> None:
    mask = Image.new("L", (64, 64))
    mask.paste(255, (32, 0, 64, 64))
    made = make(engine, unit(module="inpaint_only", mask=base64_of(mask)))
    assert largest_difference(made.images[0].crop((0, 0, 24, 64)), scene().crop((0, 0, 24, 64))) == 0
    assert largest_difference(made.images[0].crop((40, 0, 64, 64)), scene().crop((40, 0, 64, 64))) > 10
    assert made.images[1].mode == "RGBA"


def test_both_passes_are_guided_and_both_maps_sent(engine: Engine) -> None:
    hires = {"enable_hr": True, "denoising_strength": 0.6, "hr_scale": 1.5, "hr_second_pass_steps": 2}
    made = make(engine, unit(module="tile_resample"), **hires)
    assert [image.size for image in made.images] == [(96, 96), (96, 96), (64, 64)]
    low = make(engine, unit(hr_option="Low res only"), **hires)
    high = make(engine, unit(hr_option="High res only"), **hires)
    assert mean_difference(low.images[0], high.images[0]) > 0


@pytest.mark.parametrize(
    ("units", "says"),
    [
        ([unit(model="nope")], 'no ControlNet model "nope"'),
        ([unit(model="None")], "names no model"),
        ([unit(image=None)], "has no image"),
        ([unit(image="bm90IGEgcGljdHVyZQ==")], "ControlNet unit 0: image"),
        ([unit(module="cany")], 'Did you mean "canny"'),
        ([unit(module="canny", threshold_a=999)], "threshold_a is 999"),
        ([unit(module="inpaint")], "needs a mask"),
        ([unit(advanced_weighting=[1, 2])], "needs 13"),
        ([unit(module="lineart")], "controlnet-aux"),
        ([unit()] * 4, "3 are the most"),
    ],
)
def test_what_is_wrong_is_refused_in_plain_words(engine: Engine, units: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(AtelierError, match=says):
        make(engine, *units)


@pytest.mark.parametrize("change", [{"model": "nope"}, {"image": None}, {"image": "notbase64"}, {"module": "lineart"}])
def test_lenient_leaves_out_a_failing_unit_and_still_names_it(lenient: Engine, change: dict[str, Any]) -> None:
    made = make(lenient, unit(**change))
    assert largest_difference(made.images[0], make(lenient).images[0]) == 0
    assert len(made.images) == 1
    assert "ControlNet 0" in made.infotexts[0]


def test_lenient_takes_the_first_three_units(lenient: Engine) -> None:
    assert len(make(lenient, *[unit()] * 4).images) == 4
