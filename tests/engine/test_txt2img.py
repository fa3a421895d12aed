"""Are pictures from prompts what was asked for, and what is wrong refused?"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from lib_extension.engine.engine import Engine
from lib_extension.engine.generated import Generated
from lib_extension.engine.latents import decode
from lib_extension.engine.txt2img import txt2img
from lib_extension.spec.errors import AtelierError, BadRequest, Interrupted, NotFound, TooLarge
from lib_extension.spec.sdapi import Txt2Img
from tests.engine.inside import engine_over, largest_difference, mean_difference, values

BASE: dict[str, Any] = {
    "prompt": "a cat",
    "negative_prompt": "blurry",
    "steps": 3,
    "width": 64,
    "height": 64,
    "seed": 1,
    "sampler_name": "Euler",
}


@pytest.fixture
def engine(sd1_folder: Path) -> Engine:
    return engine_over(sd1_folder.parents[1], sd1_folder.name)


@pytest.fixture
def lenient(sd1_folder: Path) -> Engine:
    return engine_over(sd1_folder.parents[1], sd1_folder.name, lenient=True)


def make(engine: Engine, **more: Any) -> Generated:
    return txt2img(engine, Txt2Img(**{**BASE, **more}))


def test_a_picture_of_a_batch_is_the_picture_of_its_seed(engine: Engine) -> None:
    together = make(engine, batch_size=2, n_iter=2, sampler_name="Euler a")
    assert together.info.all_seeds == [1, 2, 3, 4]
    for seed, picture in zip((1, 2, 3, 4), together.images, strict=True):
        assert largest_difference(make(engine, seed=seed, sampler_name="Euler a").images[0], picture) <= 1
    assert mean_difference(together.images[0], together.images[1]) > 3


def test_infotext_and_info_are_the_webuis(engine: Engine) -> None:
    made = make(engine, sampler_name="DPM++ 2M", override_settings={"CLIP_stop_at_last_layers": 2})
    found = engine.checkpoint().found
    assert made.infotexts == [
        "a cat\nNegative prompt: blurry\nSteps: 3, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7.0, Seed: 1, Size: 64x64, "
        f"Model hash: {found.short_hash}, Model: {found.stem}, Clip skip: 2, Version: 1.10.1"
    ]
    assert made.info.extra_generation_params == {"Schedule type": "Karras"}
    assert made.info.clip_skip == 2
    assert made.info.infotexts == made.infotexts


HIRES = {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent", "denoising_strength": 0.5}
BETA = {"Beta schedule alpha": 0.6, "Beta schedule beta": 0.6}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"scheduler": "Beta"}, {"Schedule type": "Beta", **BETA}),
        ({"s_min_uncond": 20.0}, {"NGMS": 20.0}),
        ({"s_min_uncond": 0.01}, {}),
        ({**HIRES, "hr_scheduler": "Karras"}, {"Hires schedule type": "Karras"}),
        ({**HIRES, "hr_scheduler": "Beta"}, {"Hires schedule type": "Beta", **BETA}),
        ({**HIRES, "scheduler": "Karras", "hr_scheduler": "Karras"}, {"Schedule type": "Karras"}),
        ({**HIRES, "hr_sampler_name": "DPM++ 2M"}, {"Hires sampler": "DPM++ 2M", "Hires schedule type": "Karras"}),
        ({"sampler_name": "LCM", "scheduler": "Karras"}, {"Schedule type": "Karras"}),
        ({"sampler_name": "DDIM", "scheduler": "Karras"}, {}),
    ],
)
def test_schedules_and_what_was_left_out_are_told(engine: Engine, asked: dict[str, Any], told: dict[str, Any]) -> None:
    always = {"Denoising strength": 0.5, "Hires upscale": 1.5, "Hires upscaler": "Latent"} if "enable_hr" in asked else {}
    made = make(engine, **{"sampler_name": "Euler", **asked})
    assert {name: value for name, value in made.info.extra_generation_params.items() if value is not None} == {**always, **told}


@pytest.mark.parametrize(
    ("prompt", "mode", "told"),
    [
        ("a (cat:1.3)", "No norm", "No norm"),
        ("a [cat]", "Ignore", "Ignore"),
        ("a (cat:1.3)", "Original", None),
        ("a cat", "No norm", None),
        ("a [cat:dog:0.5]", "No norm", None),
    ],
)
def test_another_emphasis_is_told_where_a_word_could_be_weighed(engine: Engine, prompt: str, mode: str, told: str | None) -> None:
    made = make(engine, prompt=prompt, negative_prompt="", steps=1, override_settings={"emphasis": mode})
    assert made.info.extra_generation_params.get("Emphasis") == told


def test_a_grid_comes_first_when_pictures_are_saved(engine: Engine) -> None:
    made = make(engine, n_iter=2, save_images=True)
    assert [image.size for image in made.images] == [(128, 64), (64, 64), (64, 64)]
    assert made.info.index_of_first_image == 1
    assert len(made.infotexts) == 3


def test_a_subseed_varies_the_picture_and_keeps_the_seed(engine: Engine) -> None:
    plain, varied = make(engine), make(engine, subseed=5, subseed_strength=0.4, batch_size=2)
    assert varied.info.all_seeds == [1, 1]
    assert varied.info.all_subseeds == [5, 6]
    assert "Variation seed: 6, Variation seed strength: 0.4" in varied.infotexts[1]
    assert mean_difference(plain.images[0], varied.images[0]) > 1


def test_a_seed_of_minus_one_is_drawn_and_told(engine: Engine) -> None:
    made = make(engine, seed=-1)
    assert 0 <= made.info.seed < 2**32
    assert largest_difference(make(engine, seed=made.info.seed).images[0], made.images[0]) == 0


def test_prompts_are_edited_by_step_and_composed_by_and(engine: Engine) -> None:
    cat, dog = make(engine).images[0], make(engine, prompt="a dog").images[0]
    edited = make(engine, prompt="a [cat:dog:1]").images[0]
    assert largest_difference(edited, cat) > 0
    assert largest_difference(edited, dog) > 0
    assert largest_difference(make(engine, prompt="a cat AND a cat :0").images[0], cat) <= 1


def test_long_prompts_are_evaluated_beside_a_short_negative_one(engine: Engine) -> None:
    made = make(engine, prompt="a cat, " * 40)
    assert mean_difference(made.images[0], make(engine).images[0]) > 0


def test_without_guidance_the_negative_prompt_does_nothing(engine: Engine) -> None:
    assert largest_difference(make(engine, cfg_scale=1).images[0], make(engine, cfg_scale=1, negative_prompt="x").images[0]) == 0


def test_tiled_pictures_look_across_their_edges_and_others_do_not_afterwards(engine: Engine) -> None:
    before = make(engine).images[0]
    tiled = make(engine, tiling=True)
    assert "Tiling: True" in tiled.infotexts[0]
    assert mean_difference(tiled.images[0], before) > 0
    assert largest_difference(make(engine).images[0], before) == 0


@pytest.mark.parametrize(
    ("upscaler", "more", "size"),
    [
        ("Latent", {"hr_scale": 1.5}, (96, 96)),
        ("Latent (nearest-exact)", {"hr_resize_x": 96}, (96, 96)),
        ("Lanczos", {"hr_resize_x": 96, "hr_resize_y": 72}, (96, 72)),
    ],
)
def test_a_second_pass_has_the_size_asked_for(engine: Engine, upscaler: str, more: dict[str, Any], size: tuple[int, int]) -> None:
    made = make(engine, enable_hr=True, hr_upscaler=upscaler, denoising_strength=0.5, hr_second_pass_steps=2, **more)
    assert made.images[0].size == size
    assert made.infotexts[0].count("Hires") == 3
    assert "Denoising strength: 0.5" in made.infotexts[0]
    assert made.info.extra_generation_params["Hires steps"] == 2


def test_a_second_pass_without_a_strength_is_refused(engine: Engine) -> None:
    with pytest.raises(BadRequest, match="denoising_strength"):
        make(engine, enable_hr=True)


@pytest.mark.parametrize(
    ("more", "error", "says"),
    [
        ({"steps": 0}, BadRequest, "steps is 0"),
        ({"batch_size": 1000}, TooLarge, "batch_size is 1000; 64 is the most"),
        ({"batch_size": 0}, BadRequest, "batch_size is 0"),
        ({"n_iter": -1}, BadRequest, "n_iter is -1"),
        ({"width": 100}, BadRequest, "multiple of 8, such as 96 or 104"),
        ({"width": 0}, BadRequest, "at least 8"),
        ({"width": 80000}, TooLarge, "8192 a side"),
        ({"seed": 2**63}, BadRequest, "seed is"),
        ({"subseed_strength": 2.0}, BadRequest, "between 0 and 1"),
        ({"sampler_name": "Eulr"}, BadRequest, 'Did you mean "Euler"'),
        ({"scheduler": "Kerras"}, BadRequest, 'Did you mean "Karras"'),
        ({"styles": ["film"]}, BadRequest, "no styles"),
        ({"restore_faces": True}, BadRequest, "restore_faces"),
        ({"override_settings": {"sd_model_checkpoint": "tiny_sd9"}}, NotFound, "tiny_sd[12]"),
        ({"override_settings": {"CLIP_stop_at_last_layer": 2}}, BadRequest, "CLIP_stop_at_last_layers"),
        ({"prompt": "a <lora:nope:1>"}, NotFound, "nope"),
        ({"prompt": "a <hypernet:nope:1>"}, BadRequest, "hypernet"),
        ({"enable_hr": True, "denoising_strength": 0.5, "hr_upscaler": "nope"}, BadRequest, "nope"),
    ],
)
def test_what_is_wrong_is_refused_in_plain_words(engine: Engine, more: dict[str, Any], error: type[AtelierError], says: str) -> None:
    with pytest.raises(error, match=says):
        make(engine, **more)
    assert engine.progress.snapshot().task_id is None


@pytest.mark.parametrize(
    "more",
    [
        {"sampler_name": "nope"},
        {"scheduler": "nope"},
        {"override_settings": {"sd_model_checkpoint": "nope"}},
        {"prompt": "a cat<lora:nope:1>"},
        {"restore_faces": True},
    ],
)
def test_lenient_passes_over_what_the_webui_passes_over(lenient: Engine, more: dict[str, Any]) -> None:
    assert len(make(lenient, **more).images) == 1


def test_lenient_floors_sizes_and_tells_the_asked_ones(lenient: Engine) -> None:
    made = make(lenient, width=70, height=65)
    assert made.images[0].size == (64, 64)
    assert "Size: 70x65" in made.infotexts[0]


def interrupted_at_once(engine: Engine, *, skip: bool = False) -> threading.Thread:
    """Presses the button as soon as the first step is done."""

    def press() -> None:
        for _ in range(3000):
            state = engine.progress.snapshot().state
            if state.job_count > 0 and state.sampling_step >= 1:  # Not what an earlier task left.
                (engine.progress.skip if skip else engine.progress.interrupt)()
                return
            time.sleep(0.005)

    thread = threading.Thread(target=press)
    thread.start()
    return thread


def test_an_interrupt_ends_within_a_step(engine: Engine, lenient: Engine) -> None:
    thread = interrupted_at_once(engine)
    with pytest.raises(Interrupted, match="0 of its 1 pictures"):
        make(engine, steps=500)
    thread.join()
    assert engine.progress.snapshot().state.sampling_step < 100
    thread = interrupted_at_once(lenient)
    made = make(lenient, steps=500, n_iter=3)
    thread.join()
    assert len(made.images) == 1
    assert made.info.all_seeds == [1, 2, 3]


def test_a_skipped_batch_is_left_out(engine: Engine) -> None:
    thread = interrupted_at_once(engine, skip=True)
    made = make(engine, steps=30, n_iter=2)
    thread.join()
    assert made.info.all_seeds == [2]
    assert len(made.images) == len(made.infotexts) == 1


def test_a_preview_has_the_pictures_size_and_some_of_its_colours(engine: Engine) -> None:
    loaded = engine.checkpoint()
    latents = torch.nn.functional.interpolate(torch.randn(1, 4, 4, 4, generator=torch.Generator().manual_seed(3)), (8, 8))
    with torch.no_grad():
        picture = decode(loaded.checkpoint.vae, latents)[0]
    preview = loaded.colours.draw(latents)
    assert preview.size == picture.size == (64, 64)
    flat = Image.new("RGB", (64, 64), tuple(int(v) for v in values(picture).mean((0, 1))))
    assert mean_difference(preview, picture) < 1.5 * mean_difference(flat, picture)
