"""What is sent for a stage that a model draws? Complete bodies: what is left out, every host fills in in its own way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PIL import Image

from lib_extension.pictures.png import encode_base64
from lib_extension.spec.controlnet import ControlNetUnit
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.sdapi import Img2Img, Txt2Img
from lib_extension.spec.settings import to_json
from lib_extension.stages.frame import Frame, on_white
from lib_extension.stages.hires import Hires, hires_fields
from lib_extension.stages.picture_settings import Control, PictureStage
from lib_extension.stages.stage import Given

ORIGINAL = 1  # inpainting_fill: start from what the picture has there

PictureOf = Callable[[Control], Image.Image]  # the picture that guides a unit, as it is sent


def txt2img_body(stage: PictureStage, given: Given, frame: Frame, hires: Hires | None, larger: Frame) -> Txt2Img:
    """The body of a picture made from nothing; `larger` is what a second pass makes of the frame."""
    fields = _fields(stage, given.seed, frame, _scripts(stage, guided_by(given, frame, None)))
    return Txt2Img(**fields, **hires_fields(hires, larger, stage.lora_tags))


def img2img_body(stage: PictureStage, seed: int, frame: Frame, image: Image.Image, picture_of: PictureOf, **more: Any) -> Img2Img:
    """The body that redraws `image`, which has the frame's size; `more` are fields of Img2Img, such as denoising_strength and mask."""
    fields: dict[str, Any] = {
        **_fields(stage, seed, frame, _scripts(stage, picture_of, more.get("mask"))),
        "init_images": [encode_base64(frame.widen(on_white(image)))],
        "resize_mode": 0,  # it has the size already
        "image_cfg_scale": 1.5,
        "mask_blur_x": 0,
        "mask_blur_y": 0,
        "mask_blur": 0,
        "mask_round": True,
        "inpainting_fill": ORIGINAL,
        "inpaint_full_res": False,
        "inpaint_full_res_padding": 32,
        "inpainting_mask_invert": 0,
        "initial_noise_multiplier": 1.0,
        "include_init_images": False,
    }
    return Img2Img(**{**fields, **more})


def guided_by(given: Given, frame: Frame, own: Image.Image | None) -> PictureOf:
    """The picture that a control names, or `own`, the one that is redrawn; brought to the frame where that is not what is sent anyway."""

    def picture_of(control: Control) -> Image.Image:
        if not control.image and own is None:
            raise BadRequest(f'A control ({control.module}, {control.model}) of "{given.stage.id}" needs "image": nothing is taken here.')
        image = on_white(given.others[control.image].image) if control.image else own
        assert image is not None
        return frame.fit_unit(on_white(image), control.resize_mode, exactly=control.inpaints)

    return picture_of


def _fields(stage: PictureStage, seed: int, frame: Frame, scripts: dict[str, Any]) -> dict[str, Any]:
    """Every field that the two bodies share. None only where there is no value that means the same on every host."""
    width, height = frame.asked
    return {
        "prompt": " ".join(filter(None, [stage.prompt, *stage.lora_tags])),
        "negative_prompt": stage.negative_prompt,
        "styles": list(stage.styles),
        "seed": seed,
        "subseed": seed if stage.subseed < 0 else stage.subseed,
        "subseed_strength": stage.subseed_strength,
        "seed_resize_from_h": -1,
        "seed_resize_from_w": -1,
        "sampler_name": stage.sampler_name,
        "sampler_index": stage.sampler_name,
        "scheduler": stage.scheduler,
        "batch_size": stage.batch_size,
        "n_iter": stage.n_iter,
        "steps": stage.steps,
        "cfg_scale": stage.cfg_scale,
        "width": width,
        "height": height,
        "restore_faces": False,
        "tiling": stage.tiling,
        "eta": stage.eta,  # every sampler has its own; one number for all would change pictures
        "s_min_uncond": 0.0,
        "s_churn": 0.0,
        "s_tmax": 0.0,  # without end
        "s_tmin": 0.0,
        "s_noise": 1.0,
        "override_settings": _options(stage),
        "override_settings_restore_afterwards": True,
        "refiner_checkpoint": stage.refiner_checkpoint or None,
        "refiner_switch_at": stage.refiner_switch_at if stage.refiner_checkpoint else None,
        "disable_extra_networks": False,
        "do_not_save_samples": True,
        "do_not_save_grid": True,
        "send_images": True,
        "save_images": False,
        "alwayson_scripts": scripts,
    }


def _options(stage: PictureStage) -> dict[str, Any]:
    """The options that pictures depend on. All are sent each time: another call's options may have been left behind."""
    options: dict[str, Any] = {"CLIP_stop_at_last_layers": stage.clip_skip, "sd_vae": stage.vae}
    if stage.checkpoint:
        options["sd_model_checkpoint"] = stage.checkpoint
    return options | stage.override_settings


def _scripts(stage: PictureStage, picture_of: PictureOf, mask: str | None = None) -> dict[str, Any]:
    scripts = {name.lower(): args if isinstance(args, dict) else {"args": args} for name, args in stage.alwayson.items()}
    units = [_unit(control, picture_of(control), mask) for control in stage.controlnet if control.enabled]
    return scripts | ({"controlnet": {"args": units}} if units else {})


def _unit(control: Control, image: Image.Image, mask: str | None) -> dict[str, Any]:
    """A unit with every field but those that have no value. The picture is base64 text, the one form that all hosts take.

    ControlNet takes the call's mask for a unit without a picture only; ours have one, so that units that inpaint are sent the mask.
    """
    unit = ControlNetUnit(
        enabled=True,
        image=encode_base64(image),
        mask=mask if control.inpaints else None,
        module=control.module,
        model=control.model,
        weight=control.weight,
        resize_mode=control.resize_mode,
        processor_res=control.processor_res,
        threshold_a=control.threshold_a,
        threshold_b=control.threshold_b,
        guidance_start=control.guidance_start,
        guidance_end=control.guidance_end,
        pixel_perfect=control.pixel_perfect,
        control_mode=control.control_mode,
        hr_option=control.hr_option,
    )
    return {name: value for name, value in to_json(unit).items() if value is not None}
