"""What does a request's `infotext` add? Every field that the request did not give itself, as the WebUI pastes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from lib_extension.engine.options import Options
from lib_extension.formats.infotext import parse_infotext
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.sdapi import Generation

R = TypeVar("R", bound=Generation)

FIELDS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "prompt": ("Prompt", str),
    "negative_prompt": ("Negative prompt", str),
    "steps": ("Steps", int),
    "sampler_name": ("Sampler", str),
    "scheduler": ("Schedule type", str),
    "cfg_scale": ("CFG scale", float),
    "seed": ("Seed", int),
    "width": ("Size-1", int),
    "height": ("Size-2", int),
    "denoising_strength": ("Denoising strength", float),
    "subseed": ("Variation seed", int),
    "subseed_strength": ("Variation seed strength", float),
    "seed_resize_from_w": ("Seed resize from-1", int),
    "seed_resize_from_h": ("Seed resize from-2", int),
    "hr_scale": ("Hires upscale", float),
    "hr_upscaler": ("Hires upscaler", str),
    "hr_second_pass_steps": ("Hires steps", int),
    "hr_resize_x": ("Hires resize-1", int),
    "hr_resize_y": ("Hires resize-2", int),
    "hr_sampler_name": ("Hires sampler", str),
    "hr_scheduler": ("Hires schedule type", str),
    "hr_prompt": ("Hires prompt", str),
    "hr_negative_prompt": ("Hires negative prompt", str),
    "mask_blur": ("Mask blur", int),
    "s_min_uncond": ("NGMS", float),
    "inpaint_full_res_padding": ("Masked area padding", int),
}

OPTIONS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "CLIP_stop_at_last_layers": ("Clip skip", int),
    "emphasis": ("Emphasis", str),
}


def with_infotext(body: R, given: set[str], options: Options) -> R:
    """The request completed. `given` are the names that it holds itself. Raises BadRequest for a value that is none."""
    if not body.infotext:
        return body
    read = parse_infotext(body.infotext)
    known = {field.name for field in fields(body)}
    changes = {
        name: _value(label, read[label], kind)
        for name, (label, kind) in FIELDS.items()
        if label in read and name in known and name not in given
    }
    if "enable_hr" in known - given and ("Hires upscale" in read or "Hires resize-1" in read):
        changes["enable_hr"] = True
    overrides = dict(body.override_settings or {})
    for option, (label, kind) in OPTIONS.items():
        if label in read and option not in overrides and (value := _value(label, read[label], kind)) != options[option]:
            overrides[option] = value
    return replace(body, **changes, override_settings=overrides or body.override_settings)


def _value(label: str, text: str, kind: Callable[[str], Any]) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise BadRequest(f'The infotext says "{label}: {text[:60]}", which is no number.') from None
