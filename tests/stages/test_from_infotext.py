from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.formats.infotext import parse_infotext
from lib_extension.plan import make_plan
from lib_extension.stages import load_recipe
from lib_extension.stages.from_infotext import stage_from_infotext

HIRES = (
    "a ring\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 9007199254740993, Size: 512x768, Model: real, "
    "Denoising strength: 0.55, Hires upscale: 1.5, Hires steps: 10, Hires upscaler: R-ESRGAN 4x+, Hires CFG Scale: 6, Version: v1.10.1"
)


def test_a_second_pass_is_read_and_what_no_stage_takes_is_told():
    stage, left = stage_from_infotext(parse_infotext(HIRES))
    assert stage["hires"] == {"hr_upscaler": "R-ESRGAN 4x+", "hr_scale": 1.5, "hr_second_pass_steps": 10, "denoising_strength": 0.55}
    assert "seed" not in stage  # of another program, whose seeds have 64 bits
    assert left == "Of how the picture was made, this is not in the recipe: Hires CFG Scale, Seed."


def test_a_picture_that_was_drawn_from_another_is_told():
    stage, left = stage_from_infotext(parse_infotext("x\nSteps: 3, Sampler: Euler, Seed: 1, Denoising strength: 0.4"))
    assert "hires" not in stage
    assert "Denoising strength (it was drawn from another picture)" in left


@pytest.mark.parametrize("prompt", ["a {ring}", "a {{ring}}", "{ring}", "{{{ring}}}", "{", "{}", "{1}", "}{ring}{"])
def test_braces_of_a_prompt_stay_as_they_are(prompt: str):
    stage, _ = stage_from_infotext({"Prompt": prompt, "Steps": "3"})
    plan = make_plan(load_recipe({"name": "x", "stages": [{**stage, "seed": 1}]}), {}, {})
    assert plan.nodes[0].stage.prompt == prompt


@given(
    st.dictionaries(
        st.sampled_from(["Steps", "Sampler", "Seed", "Size-1", "Hires upscale", "Clip skip", "Eta", "Tiling", "VAE"]), st.text()
    )
)
def test_any_infotext_gives_a_stage(fields: dict[str, str]):
    stage, _ = stage_from_infotext({"Prompt": "", **fields})
    load_recipe({"name": "x", "stages": [stage]})
