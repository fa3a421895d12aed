"""Does our own loop make the pictures that diffusers' pipelines make from the same noise?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    ControlNetModel,
    DDIMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionControlNetPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
)
from PIL import Image

from lib_extension.engine.txt2img import txt2img
from lib_extension.spec.sdapi import Txt2Img
from tests.engine.inside import base64_of, engine_over, largest_difference, scene

STEPS = 5  # Divides 1000: where it does not, the WebUI makes a step of DDIM more.
SEEDS = (7, 8)
PROMPT, NEGATIVE = "a red watch on a beach", "blurry"

LINSPACE = {"timestep_spacing": "linspace", "steps_offset": 1, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
LEADING = {**LINSPACE, "timestep_spacing": "leading", "clip_sample": False, "set_alpha_to_one": False}
SCHEDULERS = {
    "Euler": EulerDiscreteScheduler(**LINSPACE),
    "DDIM": DDIMScheduler(**LEADING),
}

# diffusers' Euler scheduler turns a tensor into an array in a way that numpy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def noise(channels: int = 4, side: int = 8) -> torch.Tensor:
    """As the WebUI draws it: each picture's own, on the CPU."""
    return torch.stack([torch.randn(channels, side, side, generator=torch.Generator().manual_seed(seed)) for seed in SEEDS])


def ours(folder: Path, sampler: str, **more: object) -> list[Image.Image]:
    engine = engine_over(folder.parents[1], folder.name)
    asked = {"prompt": PROMPT, "negative_prompt": NEGATIVE, "steps": STEPS, "width": 64, "height": 64, "seed": SEEDS[0], "batch_size": 2}
    return txt2img(engine, Txt2Img(**{**asked, **more}, sampler_name=sampler)).images  # type: ignore[arg-type]


def theirs(pipeline: Any, **more: object) -> list[Image.Image]:
    pipeline.set_progress_bar_config(disable=True)
    pictures = pipeline(
        [PROMPT] * 2, negative_prompt=[NEGATIVE] * 2, num_inference_steps=STEPS, guidance_scale=7.0, latents=noise(), **more
    )
    return pictures.images


def parts(folder: Path) -> dict[str, Any]:
    """The networks that our engine has loaded, as arguments of a pipeline."""
    checkpoint = engine_over(folder.parents[1], folder.name).checkpoint().checkpoint
    named = {"unet": checkpoint.unet, "vae": checkpoint.vae}
    for number, (encoder, tokenizer) in enumerate(zip(checkpoint.text_encoders, checkpoint.tokenizers, strict=True), 1):
        ending = "" if number == 1 else f"_{number}"
        named |= {f"text_encoder{ending}": encoder, f"tokenizer{ending}": tokenizer}
    return named


NO_CHECKER = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}


@pytest.mark.parametrize("sampler", SCHEDULERS)
def test_sd1_pictures_are_those_of_the_pipeline(sd1_folder: Path, sampler: str) -> None:
    pipeline = StableDiffusionPipeline(**parts(sd1_folder), scheduler=SCHEDULERS[sampler], **NO_CHECKER)
    for one, other in zip(ours(sd1_folder, sampler), theirs(pipeline, height=64, width=64), strict=True):
        assert largest_difference(one, other) <= 1


def test_v_prediction_of_sd2_is_that_of_the_pipeline(sd2_folder: Path) -> None:
    scheduler: Any = EulerDiscreteScheduler(**LINSPACE, prediction_type="v_prediction")
    pipeline = StableDiffusionPipeline(**parts(sd2_folder), scheduler=scheduler, **NO_CHECKER)
    for one, other in zip(ours(sd2_folder, "Euler"), theirs(pipeline, height=64, width=64), strict=True):
        assert largest_difference(one, other) <= 1


def test_sdxl_is_told_the_same_sizes_and_texts(sdxl_folder: Path) -> None:
    pipeline = StableDiffusionXLPipeline(**parts(sdxl_folder), scheduler=SCHEDULERS["Euler"], add_watermarker=False)
    for one, other in zip(ours(sdxl_folder, "Euler"), theirs(pipeline, height=64, width=64), strict=True):
        assert largest_difference(one, other) <= 1


def test_a_controlnet_guides_as_in_the_pipeline(sd1_folder: Path, controlnet_folder: Path) -> None:
    net = ControlNetModel.from_pretrained(controlnet_folder)
    pipeline = StableDiffusionControlNetPipeline(**parts(sd1_folder), controlnet=net, scheduler=SCHEDULERS["Euler"], **NO_CHECKER)
    expected = theirs(pipeline, image=[scene()] * 2, height=64, width=64, controlnet_conditioning_scale=0.8)
    unit = {"enabled": True, "module": "none", "model": controlnet_folder.name, "image": base64_of(scene()), "weight": 0.8}
    made = ours(sd1_folder, "Euler", alwayson_scripts={"controlnet": {"args": [unit]}})
    assert len(made) == 3  # The map comes last.
    for one, other in zip(made, expected, strict=False):
        assert largest_difference(one, other) <= 1
