"""Each rule finds what it is for, beside its field, and says the fix; and a good recipe gives no finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest

from lib_extension.preflight import RULES
from lib_extension.preflight.guiding import control_without_picture
from lib_extension.preflight.look import Look
from lib_extension.spec.inventory import Inventory, Network
from lib_extension.stages import read_stage
from tests.preflight.asked import INVENTORY, SDXL, UNIT, at, base, find, redraw


class Case(NamedTuple):
    """A rule's name, a stage that it is for, and what it must say."""

    rule: str
    stage: Mapping[str, Any]
    severity: str
    field: str
    says: Sequence[str]
    inventories: Sequence[Inventory] = (INVENTORY,)


LONG = ", ".join(f"a thing of colour number {number}" for number in range(30))
FORGE, REFORGE, ENGINE = at(host="forge"), at(host="reforge", control_modes=False), at(host="engine")
FACES = at(host="engine", networks=(Network("detector/face_yolov8n", "aa11"), Network("parts/parts", "bb22")))

CASES = [
    Case("unknown_sampler", base(sampler_name="Euler b"), "error", "sampler_name", ['sampler "Euler b"', 'Did you mean "Euler a"?']),
    Case("unknown_scheduler", base(scheduler="Kerras"), "error", "scheduler", ['"Kerras"', 'Did you mean "Karras"?']),
    Case("unknown_checkpoint", base(checkpoint="phot"), "error", "checkpoint", ['"phot"', 'Did you mean "photo"?']),
    Case("unknown_checkpoint", base(checkpoint="xyzzy"), "error", "checkpoint", ["It has: photo, large, refine, old2."]),
    Case("unknown_checkpoint", base(refiner_checkpoint="refin", **SDXL), "error", "refiner_checkpoint", ['Did you mean "refine"?']),
    Case(
        "unknown_checkpoint",
        base(override_settings={"sd_model_checkpoint": "fotos"}),
        "error",
        "override_settings.sd_model_checkpoint",
        ['"fotos"', 'Did you mean "photo"?'],
    ),
    Case("unknown_vae", base(vae="mse.safetensor"), "error", "vae", ['Did you mean "mse.safetensors"?']),
    Case("unknown_upscaler", redraw("upscale", upscaler="Lanczo"), "error", "upscaler", ['Did you mean "Lanczos"?']),
    Case("unknown_upscaler", base(hires={"hr_upscaler": "Latnt"}), "error", "hires.hr_upscaler", ['Did you mean "Latent"?']),
    Case("unknown_sampler", base(hires={"hr_sampler_name": "Euler b"}), "error", "hires.hr_sampler_name", ['Did you mean "Euler a"?']),
    Case("unknown_scheduler", base(hires={"hr_scheduler": "Kerras"}), "error", "hires.hr_scheduler", ['Did you mean "Karras"?']),
    Case("unknown_checkpoint", base(hires={"hr_checkpoint_name": "phot"}), "error", "hires.hr_checkpoint_name", ['"photo"']),
    Case("unknown_lora", base(hires={"hr_prompt": "<lora:brant:1>"}), "error", "hires.hr_prompt", ['Did you mean "brand"?']),
    Case("unknown_lora", base(loras=[{"name": "brant"}]), "error", "loras[0]", ['"brant"', 'Did you mean "brand"?', "Lora folder"]),
    Case("unknown_lora", base(prompt="a <lora:brandd:0.5> watch"), "error", "prompt", ['Did you mean "brand"?']),
    Case("unknown_style", base(styles=["studio", "studyo"]), "error", "styles[1]", ['Did you mean "studio"?']),
    Case("unknown_extension", base(alwayson={"ADetailor": []}), "error", "alwayson.ADetailor", ['Did you mean "adetailer"?', "Install"]),
    Case("no_controlnet", base(controlnet=[UNIT]), "error", "controlnet", ["Install the extension"], at(has_controlnet=False)),
    Case("no_controlnet", redraw("control", module="canny"), "error", "module", ["Install the extension"], at(has_controlnet=False)),
    Case(
        "unknown_control_model", base(controlnet=[{**UNIT, "model": "cany15"}]), "error", "controlnet[0].model", ['Did you mean "canny15"?']
    ),
    Case("unknown_module", base(controlnet=[{**UNIT, "module": "cany"}]), "error", "controlnet[0].module", ['Did you mean "canny"?']),
    Case("unknown_module", redraw("control", module="depth_mida"), "error", "module", ['Did you mean "depth_midas"?']),
    Case(
        "unknown_mask_network",
        redraw("mask", mask={"union": [{"kind": "parts"}, {"kind": "detector", "model": "face_yolov8.onnx"}]}),
        "error",
        "mask",
        ['"face_yolov8"', 'Did you mean "face_yolov8n"?', "detectors/"],
        FACES,
    ),
    Case("unknown_mask_network", redraw("inpaint", mask={"kind": "text", "text": "watch"}), "error", "mask", ["clipseg/ in the"], FACES),
    Case(
        "unknown_mask_network",
        redraw("inpaint", mask="part", paste_back={"kind": "background", "engine": "rembg"}),
        "error",
        "paste_back",
        ["rembg/", "grabcut"],
        FACES,
    ),
    Case("unsound_file", base(loras=[{"name": "broken"}]), "error", "loras[0]", ["cut off", "Download or export it again"]),
    Case(
        "other_kind_of_file", base(loras=[{"name": "misplaced"}]), "error", "loras[0]", ["used as a lora", "its file is a vae", "move it"]
    ),
    Case(
        "lora_of_another_family",
        base(loras=[{"name": "brand"}, {"name": "brand_xl"}]),
        "error",
        "loras[1]",
        ['LoRA "brand_xl" is made for SDXL', 'checkpoint "photo" is SD 1.x', "Use one that is made for SD 1.x"],
    ),
    Case(
        "lora_of_another_family",
        base(prompt="<lora:brand:1>", **SDXL),
        "error",
        "prompt",
        ['"brand" is made for SD 1.x', '"large" is SDXL'],
    ),
    Case(
        "controlnet_of_another_family",
        base(controlnet=[UNIT, {**UNIT, "model": "depth_xl [22222222]"}]),
        "error",
        "controlnet[1].model",
        ['ControlNet "depth_xl [22222222]" is made for SDXL', '"photo" is SD 1.x'],
    ),
    Case("vae_of_another_family", base(vae="flux.safetensors"), "error", "vae", ['VAE "flux.safetensors" is made for SD 3 or Flux']),
    Case(
        "embedding_of_another_family",
        base(negative_prompt="ugly, (XLneg:1.2)"),
        "error",
        "negative_prompt",
        ['embedding "xlneg" is made for SDXL', '"photo" is SD 1.x'],
    ),
    Case("embedding_of_another_family", base(prompt="old2hands"), "error", "prompt", ['"old2hands" is made for SD 2.x']),
    Case("embedding_of_another_family", base(prompt="a wide shot"), "warning", "prompt", ['"wide" does not fit', "plain words"]),
    Case("refiner_without_sdxl", base(refiner_checkpoint="large"), "error", "refiner_checkpoint", ['"photo" is SD 1.x', '"large" is SDXL']),
    Case("refiner_without_sdxl", base(refiner_checkpoint="refine"), "warning", "refiner_checkpoint", ["refiners are made for SDXL"]),
    Case("lora_names_not_read", base(loras=[{"name": "brand_peft"}]), "error", "loras[0]", ["peft names", "no effect", "Convert"]),
    Case("lora_names_not_read", base(loras=[{"name": "brand_peft"}]), "error", "loras[0]", ["peft names"], FORGE),
    Case("lora_weight_over_1", base(loras=[{"name": "brand", "weight": 1.3}]), "warning", "loras[0].weight", ["1.3", "trained at 1"]),
    Case("lora_weight_over_1", base(prompt="<lora:brand:0.5:1.5>"), "warning", "prompt", ["1.5", "Use 0.6 to 1"]),
    Case(
        "lora_without_weight", base(loras=[{"name": "brand", "weight": 0}]), "warning", "loras[0].weight", ["does nothing", "Leave it out"]
    ),
    Case("lora_twice", base(loras=[{"name": "brand", "weight": 0.5}] * 2), "warning", "loras[1]", ["twice", "weight 1", "once"]),
    Case("lora_twice", base(prompt="<lora:brand:0.5>", loras=[{"name": "brand", "weight": 0.25}]), "warning", "prompt", ["weight 0.75"]),
    Case(
        "lora_weights_large",
        base(loras=[{"name": "brand", "weight": 1}, {"name": "few-lcm", "weight": 1}, {"name": "brand", "weight": 0.5}]),
        "warning",
        "loras[2]",
        ["3 LoRAs come to 2.5", "Lower them"],
    ),
    Case("prompt_over_75_tokens", base(prompt=LONG), "warning", "prompt", ["229 tokens", "4 pieces", "Shorten it"]),
    Case("prompt_over_75_tokens", base(negative_prompt="bad " * 76), "warning", "negative_prompt", ["negative prompt has 76 tokens"]),
    Case("overloaded_prompt", base(prompt=",".join(f"w{n}" for n in range(41))), "warning", "prompt", ["names 41 things", "keep the 40"]),
    Case("overloaded_prompt", base(prompt="red watch, table, red watch"), "warning", "prompt", ['"red watch" twice', "Say it once"]),
    Case("overloaded_prompt", base(prompt="(watch:1.9)"), "warning", "prompt", ["by 1.9", "breaks the picture"]),
    Case("overloaded_prompt", base(prompt=" ".join(f"(w{n}:1.1)" for n in range(11))), "warning", "prompt", ["11 parts", "nothing is"]),
    Case("size_not_multiple_of_8", base(width=500), "warning", "width", ["500", "drawn at 504 and cut to 500", "496 or 504"]),
    Case("size_not_multiple_of_8", redraw(height=5), "warning", "height", ["8 or 8"]),
    Case("picture_too_large", base(width=16384, height=8192), "error", "width", ["16384×8192", "64 megapixels"]),
    Case("picture_too_large", redraw("upscale", scale=16), "error", "scale", ["8192×8192", "64 megapixels"]),
    Case("far_from_training_size", base(width=1024, height=1024), "warning", "width", ["trained at 512×512", "twice", "type upscale"]),
    Case("far_from_training_size", base(width=256, height=256, **SDXL), "warning", "width", ["1024×1024", "parts of things"]),
    Case("far_from_training_size", redraw(scale=4, denoising_strength=0.7), "warning", "scale", ["2048×2048", "twice"]),
    Case("far_from_training_size", redraw("upscale", method="tiled", tile=128), "warning", "scale", ["128×128"]),
    Case("batch_beyond_limits", base(batch_size=16, n_iter=2), "warning", "batch_size", ["16 pictures", "8", "n_iter to 32"]),
    Case("batch_beyond_limits", base(batch_size=64, width=1024, height=1024), "error", "batch_size", ["64 megapixels", "n_iter"], ENGINE),
    Case("batch_beyond_limits", base(width=8200, height=64), "error", "width", ["8192 pixels a side"], ENGINE),
    Case("picture_too_large", base(hires={"hr_resize_x": 16384}), "error", "hires", ["16384×16384", "64 megapixels"]),
    Case("batch_beyond_limits", base(batch_size=32, hires={"hr_scale": 4}), "error", "batch_size", ["32 pictures of 2048×2048"], ENGINE),
    Case("refused_by_the_engine", base(refiner_checkpoint="refine"), "error", "refiner_checkpoint", ["one checkpoint"], ENGINE),
    Case(
        "refused_by_the_engine", base(hires={"hr_checkpoint_name": "photo"}), "error", "hires.hr_checkpoint_name", ["img2img stage"], ENGINE
    ),
    Case(
        "latent_upscaler_with_low_strength",
        base(hires={"denoising_strength": 0.3}),
        "warning",
        "hires.denoising_strength",
        ["0.3 leaves a blur", "0.5 or more"],
    ),
    Case(
        "latent_upscaler_with_low_strength",
        redraw("upscale", method="hires", upscaler="Latent"),
        "warning",
        "denoising_strength",
        ['"Latent"', "leaves a blur"],
    ),
    Case("tile_beyond_picture", redraw("upscale", method="tiled", tile=1024), "warning", "tile", ["1024×1024", "hires"]),
    Case("empty_mask", redraw("inpaint", mask="black"), "error", "mask", ['"black" chooses nothing', "White is chosen", "when_empty"]),
    Case(
        "empty_mask",
        redraw("inpaint", mask="black", when_empty="whole", inpaint_full_res=True),
        "warning",
        "mask",
        ["All of the picture", "although only what is masked was to be"],
    ),
    Case(
        "empty_mask", redraw("inpaint", mask={"kind": "upload", "of": "black"}, when_empty="skip"), "warning", "mask.of", ["make nothing"]
    ),
    Case("empty_mask", redraw("inpaint", mask="part", paste_back="black"), "error", "paste_back", ["chooses nothing"]),
    Case("full_mask", redraw("inpaint", mask="white"), "warning", "mask", ['"white" chooses everything', "inverted"]),
    Case("denoising_strength_0", redraw(denoising_strength=0), "warning", "denoising_strength", ["stays as it is", "0.2 to 0.6"]),
    Case("denoising_strength_1", redraw(denoising_strength=1), "warning", "denoising_strength", ["nothing of the picture", "txt2img"]),
    Case("denoising_strength_1", redraw("inpaint", mask="part", denoising_strength=1), "warning", "denoising_strength", ["latent noise"]),
    Case("few_steps", base(steps=2), "warning", "steps", ["2 steps", "15 to 30"]),
    Case("few_steps", redraw(steps=10, denoising_strength=0.05), "warning", "steps", ["Of 10 steps", "0.05"]),
    Case("seed_policy_without_effect", base(seed_policy="per candidate"), "warning", "seed_policy", ["takes none", '"per item"']),
    Case("variation_without_effect", base(subseed_strength=0.2), "warning", "subseed", ["does nothing", "another number"]),
    Case("negative_prompt_without_effect", base(cfg_scale=1, negative_prompt="ugly"), "warning", "negative_prompt", ["CFG scale of 1"]),
    Case("control_without_effect", base(controlnet=[{**UNIT, "weight": 0}]), "warning", "controlnet[0].weight", ["guides nothing"]),
    Case(
        "control_without_effect",
        base(controlnet=[{**UNIT, "guidance_start": 0.5, "guidance_end": 0.5}]),
        "warning",
        "controlnet[0].guidance_end",
        ["begins and ends at 0.5"],
    ),
    Case(
        "control_mode_ignored",
        base(controlnet=[{**UNIT, "control_mode": "My prompt is more important"}]),
        "error",
        "controlnet[0].control_mode",
        ["takes no heed", "Use Balanced"],
        REFORGE,
    ),
    Case("too_many_units", base(controlnet=[UNIT] * 3), "error", "controlnet[2]", ["takes 2 ControlNet units and 3", "dropped"]),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}-{number}" for number, case in enumerate(CASES)])
def test_a_rule_finds_what_it_is_for(case: Case):
    found = find(case.stage, inventories=case.inventories)
    beside = [finding for finding in found if (finding.stage, finding.field) == (case.stage["id"], case.field)]
    assert [each for each in beside if each.severity == case.severity and all(word in each.message for word in case.says)], found


def test_every_rule_is_tested():
    assert {case.rule for case in CASES} | {"control_without_picture"} == {rule.__name__ for rule in RULES}


GOOD = [
    base(),
    base(sampler_name="k_euler_a", scheduler="Automatic", checkpoint="photo.safetensors [1234567890]"),
    base(sampler_name="DPM++ 2M Karras"),
    base(loras=[{"name": "brand", "weight": 0.8}], vae="mse.safetensors", controlnet=[UNIT, {**UNIT, "enabled": False, "model": "gone"}]),
    base(prompt="a <lora:brand_xl:0.7> watch", width=1024, height=1024, refiner_checkpoint="refine", **SDXL),
    base(negative_prompt="badhands, ugly", styles=["studio"], alwayson={"ADetailer": []}),
    base(steps=1, cfg_scale=1, prompt="<lora:few-lcm:1> a watch"),
    base(controlnet=[{**UNIT, "model": "canny15 [11111111]", "module": "None"}]),
    redraw(),
    redraw(seed_policy="per candidate", denoising_strength=0.4, width=640, height=640),
    redraw(scale=2, denoising_strength=0.3),
    redraw(controlnet=[{"module": "canny", "model": "canny15"}]),
    redraw("inpaint", mask="part", paste_back="part", inpaint_full_res=True, width=512, height=512),
    redraw("inpaint", mask="part", denoising_strength=1, inpainting_fill="latent noise"),
    redraw("inpaint", mask={"kind": "upload", "of": "black", "then": [{"invert": True}]}),
    redraw("upscale", upscaler="R-ESRGAN 4x+"),
    redraw("upscale", upscaler="Lanczos", method="tiled", tile=512, scale=3),
    redraw("upscale", upscaler="Lanczos", method="hires", denoising_strength=0.3),
    redraw("upscale", upscaler="Latent", method="hires", denoising_strength=0.6),
    base(hires={}),
    base(hires={"hr_upscaler": "R-ESRGAN 4x+", "denoising_strength": 0.3, "hr_checkpoint_name": "photo", "hr_sampler_name": "Euler a"}),
    {"id": "map", "type": "control", "takes": "drawing", "module": "canny"},
    {"id": "cut", "type": "mask", "takes": "drawing", "mask": {"kind": "alpha"}},
    {"id": "sheet", "type": "sheet", "takes": "drawing"},
]


@pytest.mark.parametrize("stage", GOOD, ids=lambda stage: f"{stage['type']}")
def test_a_good_recipe_gives_no_finding(stage: Mapping[str, Any]):
    assert find(stage) == ()


def test_hosts_that_read_every_naming_are_not_warned_of_it():
    stage = base(loras=[{"name": "brand_peft"}])
    assert find(stage, inventories=REFORGE) == find(stage, inventories=ENGINE) == ()


def test_networks_that_are_there_or_cannot_be_asked_for_are_no_finding():
    face = redraw("mask", mask={"kind": "detector", "model": "face_yolov8n"})
    assert find(face, inventories=FACES) == find(face) == ()
    assert find(redraw("mask", mask={"kind": "background"}), inventories=FACES) == ()


def test_what_the_helper_of_a_webui_lacks_is_told():
    helped = at(host="a1111", networks=(Network("parts/parts", "bb22"),))
    (finding,) = find(redraw("mask", mask={"kind": "detector", "model": "face_yolov8n"}), inventories=helped)
    assert (finding.severity, finding.field) == ("error", "mask")
    assert "detectors/ in the models folder" in finding.message


def test_a_narrow_model_may_draw_at_any_size():
    inventories = at(checkpoints=INVENTORY.checkpoints[2:3], current="refine")
    assert find(base(width=128, height=128), inventories=inventories) == ()


def test_control_without_picture():
    """Plans refuse most of these before; a stage that is planned by other means is not let through."""
    named = read_stage(base(controlnet=[UNIT]))
    own = read_stage(redraw(controlnet=[{"module": "canny", "model": "canny15"}]))
    assert not list(control_without_picture(Look(named, INVENTORY, others={"drawing": None})))
    (gone,) = control_without_picture(Look(named, INVENTORY, others={}))
    assert (gone.field, gone.severity) == ("controlnet[0].image", "error")
    assert '"drawing" gives it none' in gone.message
    assert not list(control_without_picture(Look(own, INVENTORY, takes=True)))
    (nothing,) = control_without_picture(Look(own, INVENTORY, takes=False))
    assert "the stage takes none" in nothing.message
