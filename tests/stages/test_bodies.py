"""Bodies are complete, and say the same to every host."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from PIL import Image

from lib_extension.pictures.png import decode_picture
from lib_extension.spec.controlnet import ControlNetUnit, read_units
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.sdapi import Img2Img, Txt2Img
from tests.stages.painting import asked, photo, pixels, stage


def body_of(type: str, *taken: Image.Image, seed: int = 7, others: dict[str, Image.Image] | None = None, **settings: Any) -> Any:
    return asked(stage(type, **settings), *taken, seed=seed, **(others or {}))[1][-1]


# Fields without a value that means the same everywhere, those of one interface only, and those that the backend's client sets.
LEFT_OUT = {"eta", "refiner_checkpoint", "refiner_switch_at", "firstpass_image", "comments", "force_task_id", "script_name", "infotext"}
LEFT_OUT_TXT2IMG = {"hr_upscaler", "hr_checkpoint_name", "hr_sampler_name", "hr_scheduler"}  # without enable_hr they mean nothing


def test_every_field_is_sent():
    txt2img, img2img = body_of("txt2img"), body_of("img2img", photo(64, 64))
    assert isinstance(txt2img, Txt2Img)
    assert isinstance(img2img, Img2Img)
    assert {name for name, value in dataclasses.asdict(txt2img).items() if value is None} == LEFT_OUT | LEFT_OUT_TXT2IMG
    assert {name for name, value in dataclasses.asdict(img2img).items() if value is None} == LEFT_OUT | {"mask", "latent_mask"}


def test_what_is_said_of_a_body_is_what_is_in_it():
    body = body_of(
        "txt2img",
        prompt="a watch",
        negative_prompt="blurry",
        styles=["photo"],
        sampler_name="Euler a",
        scheduler="Beta",
        steps=12,
        cfg_scale=4.5,
        width=64,
        height=96,
        batch_size=3,
        n_iter=2,
        tiling=True,
        eta=0.5,
        refiner_checkpoint="refiner.safetensors",
        refiner_switch_at=0.7,
        seed=99,  # the plan gives it, by the stage's policy
        subseed=5,
        subseed_strength=0.25,
    )
    values = dataclasses.asdict(body)
    assert {name: values[name] for name in ("prompt", "negative_prompt", "styles", "sampler_name", "scheduler", "steps", "cfg_scale")} == {
        "prompt": "a watch",
        "negative_prompt": "blurry",
        "styles": ["photo"],
        "sampler_name": "Euler a",
        "scheduler": "Beta",
        "steps": 12,
        "cfg_scale": 4.5,
    }
    assert (body.sampler_index, body.width, body.height, body.batch_size, body.n_iter) == ("Euler a", 64, 96, 3, 2)
    assert (body.tiling, body.eta, body.refiner_checkpoint, body.refiner_switch_at) == (True, 0.5, "refiner.safetensors", 0.7)
    assert (body.seed, body.subseed, body.subseed_strength) == (99, 5, 0.25)


def test_a_variation_seed_is_never_left_to_chance():
    assert body_of("txt2img", seed=12345, subseed_strength=0.5).subseed == 12345


@pytest.mark.parametrize(
    ("loras", "prompt"),
    [
        ([{"name": "brand"}], "a watch <lora:brand:1>"),
        ([{"name": "brand", "weight": 0.75}, {"name": "style", "weight": -0.5}], "a watch <lora:brand:0.75> <lora:style:-0.5>"),
        ([{"name": "brand", "weight": 0.8, "te_weight": 0.2}], "a watch <lora:brand:0.2:0.8>"),
        ([{"name": ""}], "a watch"),
    ],
)
def test_loras_stand_in_the_prompt(loras: list[dict[str, Any]], prompt: str):
    assert body_of("txt2img", prompt="a watch", loras=loras).prompt == prompt


@pytest.mark.parametrize("name", ["a:b", "a<b", "a>"])
def test_a_lora_that_no_prompt_can_name(name: str):
    with pytest.raises(BadRequest, match="cannot stand in a <lora:…> tag"):
        stage("txt2img", loras=[{"name": name}])


@pytest.mark.parametrize("size", [(64, 96), (100, 61)])
@pytest.mark.parametrize("hires", [{}, {"hr_scale": 1.5}, {"hr_resize_x": 160}, {"hr_resize_x": 200, "hr_resize_y": 121}])
def test_a_second_pass_gives_the_size_asked_for(size: tuple[int, int], hires: dict[str, Any]):
    """In pixels, multiples of 8: by a scale, hosts floor the result."""
    settings = stage("txt2img", width=size[0], height=size[1], hires=hires)
    body = asked(settings)[1][0]
    width = hires.get("hr_resize_x") or round(size[0] * hires.get("hr_scale", 2))
    height = hires.get("hr_resize_y") or round(size[1] * width / size[0])
    assert settings.size == (width, height)
    assert (body.hr_resize_x, body.hr_resize_y) == (-(-width // 8) * 8, -(-height // 8) * 8)
    assert (body.enable_hr, body.hr_upscaler, body.denoising_strength) == (True, "Latent", 0.7)


def test_what_is_said_of_a_second_pass_is_in_the_body():
    hires = {
        "hr_upscaler": "R-ESRGAN 4x+",
        "denoising_strength": 0.35,
        "hr_second_pass_steps": 9,
        "hr_checkpoint_name": "photo.safetensors",
        "hr_sampler_name": "Euler a",
        "hr_scheduler": "Beta",
        "hr_prompt": "a sharp watch",
        "hr_negative_prompt": "blurry",
    }
    body = body_of("txt2img", prompt="a watch", loras=[{"name": "brand", "weight": 0.5}], hires=hires)
    assert {name: getattr(body, name) for name in hires} == {**hires, "hr_prompt": "a sharp watch <lora:brand:0.5>"}
    as_before = body_of("txt2img", prompt="a watch", loras=[{"name": "brand"}], hires={})
    assert (as_before.hr_prompt, as_before.hr_checkpoint_name, as_before.hr_sampler_name, as_before.hr_scheduler) == ("", None, None, None)


def test_a_unit_guides_the_pass_that_it_is_for():
    control = {"image": "e", "model": "canny", "hr_option": "Low res only"}
    body = body_of("txt2img", hires={}, controlnet=[control], others={"e": photo(64, 64)})
    assert read_units(body.alwayson_scripts).units[0].hr_option == "Low res only"


@pytest.mark.parametrize(
    ("hires", "message"),
    [
        ({"hr_upscaler": "None"}, "enlarges nothing"),
        ({"hr_resize_x": 256}, "512×512 256×256, which is smaller"),
        ({"hr_scales": 2}, 'Did you mean "hr_scale"'),
    ],
)
def test_second_passes_that_cannot_be(hires: dict[str, Any], message: str):
    with pytest.raises(BadRequest, match=message):
        stage("txt2img", hires=hires)


def test_the_options_that_pictures_depend_on_are_always_sent():
    """Else those of an earlier call stay, where the WebUI has no config.json with them."""
    assert body_of("txt2img").override_settings == {"CLIP_stop_at_last_layers": 1, "sd_vae": "Automatic"}
    body = body_of("txt2img", checkpoint="xl.safetensors", vae="xl.vae.pt", clip_skip=2, override_settings={"randn_source": "CPU"})
    assert body.override_settings == {
        "CLIP_stop_at_last_layers": 2,
        "sd_vae": "xl.vae.pt",
        "sd_model_checkpoint": "xl.safetensors",
        "randn_source": "CPU",
    }


def test_other_extensions_get_their_arguments():
    body = body_of("txt2img", alwayson={"ADetailer": [True, {"ad_model": "face.pt"}], "Dynamic": {"args": [1], "more": 2}})
    assert body.alwayson_scripts == {"adetailer": {"args": [True, {"ad_model": "face.pt"}]}, "dynamic": {"args": [1], "more": 2}}
    with pytest.raises(BadRequest, match="its units go into the stage's field"):
        stage("txt2img", alwayson={"ControlNet": {"args": []}})


def test_a_unit_is_complete_and_in_the_form_that_all_hosts_take():
    control = {"image": "edges", "module": "canny", "model": "demo", "weight": 0.8, "guidance_end": 0.5, "threshold_a": 100}
    body = body_of("txt2img", width=64, height=64, controlnet=[control], others={"edges": photo(100, 80)})
    (sent,) = body.alwayson_scripts["controlnet"]["args"]
    assert None not in sent.values()
    assert set(sent) == {f.name for f in dataclasses.fields(ControlNetUnit)} - {"mask", "advanced_weighting", "effective_region_mask"}
    (unit,) = read_units(body.alwayson_scripts).units
    assert (unit.enabled, unit.module, unit.model, unit.weight) == (True, "canny", "demo", 0.8)
    assert (unit.guidance_end, unit.threshold_a, unit.pixel_perfect) == (0.5, 100, True)
    assert isinstance(sent["image"], str)
    assert (pixels(decode_picture(sent["image"], what="")) == pixels(photo(100, 80))).all()


def test_what_is_transparent_guides_as_white():
    drawing = photo(64, 64).convert("RGBA")
    drawing.putalpha(Image.new("L", (64, 64), 0))
    control = {"image": "d", "module": "canny", "model": "demo"}
    body = body_of("txt2img", width=64, height=64, controlnet=[control], others={"d": drawing})
    image = decode_picture(body.alwayson_scripts["controlnet"]["args"][0]["image"], what="")
    assert (image.mode, image.getextrema()) == ("RGB", ((255, 255),) * 3)


def test_a_unit_without_a_picture_is_guided_by_the_one_that_is_redrawn():
    taken = photo(61, 64)
    body = body_of("img2img", taken, controlnet=[{"module": "tile_resample", "model": "tile"}])
    assert body.alwayson_scripts["controlnet"]["args"][0]["image"] == body.init_images[0]


def test_a_units_picture_is_widened_like_the_picture():
    """Else it would be stretched over the columns that are cut off again."""
    taken, edges = photo(61, 64), photo(122, 128)
    body = body_of("img2img", taken, controlnet=[{"image": "e", "model": "canny"}], others={"e": edges})
    sent = decode_picture(body.alwayson_scripts["controlnet"]["args"][0]["image"], what="")
    assert sent.size == (64, 64)
    assert abs(pixels(sent)[:, :61] - pixels(edges.resize((61, 64), Image.Resampling.LANCZOS))).max() == 0
    assert (pixels(sent)[:, 61:] == pixels(sent)[:, 60:61]).all()


@pytest.mark.parametrize("side", [61, 64])
@pytest.mark.parametrize("named", [{}, {"image": "e"}])
def test_a_unit_that_inpaints_has_the_mask_at_its_pictures_size(side: int, named: dict[str, str]):
    mask = Image.new("L", (side, 64))
    mask.paste(255, (0, 0, 30, 30))
    control = {"module": "inpaint_only", "model": "inpaint", **named}
    body = body_of("inpaint", photo(side, 64), mask="m", controlnet=[control], others={"m": mask, "e": photo(122, 128)})
    (unit,) = body.alwayson_scripts["controlnet"]["args"]
    assert unit["mask"] == body.mask
    assert decode_picture(unit["image"], what="").size == decode_picture(unit["mask"], what="").size == (64, 64)


def test_other_units_have_no_mask_and_one_that_inpaints_needs_one():
    body = body_of("inpaint", photo(64, 64), mask="m", controlnet=[{"model": "tile"}], others={"m": Image.new("L", (64, 64), 255)})
    assert "mask" not in body.alwayson_scripts["controlnet"]["args"][0]
    with pytest.raises(BadRequest, match=r'"inpaint_only\+lama", which needs a mask. Use it in a stage of type inpaint'):
        stage("img2img", controlnet=[{"module": "inpaint_only+lama", "model": "m"}])


def test_a_unit_that_is_switched_off_is_not_sent():
    control = {"enabled": False, "image": "d", "model": "demo"}
    body = body_of("txt2img", controlnet=[control])
    assert body.alwayson_scripts == {}


@pytest.mark.parametrize(
    ("control", "message"),
    [
        ({"image": "d"}, "neither module nor model"),
        ({"image": "d", "model": "m", "guidance_start": 0.8, "guidance_end": 0.2}, "guidance_start 0.8 is after its guidance_end 0.2"),
        ({"model": "m"}, r'controlnet\[0\] needs "image"'),
        ({"image": "d", "model": "m", "control_mode": "Balance"}, 'Did you mean "Balanced"'),
    ],
)
def test_units_that_cannot_act_are_refused(control: dict[str, Any], message: str):
    with pytest.raises(BadRequest, match=message):
        stage("txt2img", controlnet=[control])
