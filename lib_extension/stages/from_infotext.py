"""Which txt2img stage draws what an infotext tells of? Its settings under our names, and a word on what it tells besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.recipe import VARIABLE
from lib_extension.spec.settings import from_json
from lib_extension.stages.hires import Hires
from lib_extension.stages.recipe_form import read_stage

_Known = Mapping[str, tuple[str, Callable[[str], Any]]]  # name in the infotext → our field, and how its text is read

_FIELDS: _Known = {
    "Prompt": ("prompt", str),
    "Negative prompt": ("negative_prompt", str),
    "Steps": ("steps", int),
    "Sampler": ("sampler_name", str),
    "Schedule type": ("scheduler", str),
    "CFG scale": ("cfg_scale", float),
    "Seed": ("seed", int),
    "Size-1": ("width", int),
    "Size-2": ("height", int),
    "Model": ("checkpoint", str),
    "VAE": ("vae", str),
    "Clip skip": ("clip_skip", int),
    "Variation seed": ("subseed", int),
    "Variation seed strength": ("subseed_strength", float),
    "Eta": ("eta", float),
    "Tiling": ("tiling", lambda text: text == "True"),
    "Refiner": ("refiner_checkpoint", lambda text: text.split(" [")[0]),
    "Refiner switch at": ("refiner_switch_at", float),
}
_HIRES: _Known = {
    "Hires upscaler": ("hr_upscaler", str),
    "Hires upscale": ("hr_scale", float),
    "Hires resize-1": ("hr_resize_x", int),
    "Hires resize-2": ("hr_resize_y", int),
    "Hires steps": ("hr_second_pass_steps", int),
    "Hires checkpoint": ("hr_checkpoint_name", str),
    "Hires sampler": ("hr_sampler_name", str),
    "Hires schedule type": ("hr_scheduler", str),
    "Hires prompt": ("hr_prompt", str),
    "Hires negative prompt": ("hr_negative_prompt", str),
}
_STRENGTH = "Denoising strength"
_SAID_OTHERWISE = ("Model hash", "VAE hash", "Version", "Lora hashes", "TI hashes", "RNG", "Atelier", "Emphasis", "User")


def stage_from_infotext(fields: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    """The stage's JSON from what formats.infotext.parse_infotext gives, and what of the infotext is not in it, '' for nothing.

    A value that cannot be read, or that no stage takes, is left out as well, so that any infotext gives a stage.
    """
    left = [name for name in fields if name not in (*_FIELDS, *_HIRES, *_SAID_OTHERWISE, _STRENGTH)]
    stage: dict[str, Any] = {"id": "base", "type": "txt2img", "scheduler": "Automatic"}
    left += _read(_FIELDS, fields, stage, read_stage)
    if any(name in fields for name in _HIRES):
        hires: dict[str, Any] = {}
        left += _read({**_HIRES, _STRENGTH: ("denoising_strength", float)}, fields, hires, lambda data: from_json(Hires, data))
        stage["hires"] = hires
    elif _STRENGTH in fields:
        left.append(f"{_STRENGTH} (it was drawn from another picture)")
    told = f"Of how the picture was made, this is not in the recipe: {', '.join(left[:12])}." if left else ""
    return stage, told


def _read(known: _Known, fields: Mapping[str, str], into: dict[str, Any], check: Callable[[dict[str, Any]], object]) -> list[str]:
    """Puts what can be read into the settings; the names of the rest."""
    wrong = []
    for name, (field, read) in known.items():
        if name not in fields:
            continue
        try:
            value = read(fields[name])
            check({**into, field: value})
        except (ValueError, OverflowError, BadRequest):
            wrong.append(name)
        else:
            into[field] = _as_it_stands(value) if isinstance(value, str) else value
    return wrong


def _as_it_stands(text: str) -> str:
    """In a recipe, {name} stands for a variable, and {{name}} for these very letters."""
    return VARIABLE.sub(lambda found: f"{{{found[0]}}}", text)
