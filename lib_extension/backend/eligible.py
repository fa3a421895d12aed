"""Can a backend take a call? What the call names must be there: a host answers an unknown name with another picture, not with an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lib_extension.spec.calls import Call
from lib_extension.spec.controlnet import ControlNetUnit, read_units
from lib_extension.spec.errors import near_miss
from lib_extension.spec.inventory import NOTHING, Inventory
from lib_extension.spec.sdapi import Detect, ExtraSingle, Generation, Img2Img, Txt2Img

_LORA = re.compile(r"<(?:lora|lyco):([^:>]+)")

SAME_AS_FIRST = ("Use same checkpoint", "Use same sampler", "Use same scheduler")


def why_not(call: Call, inventory: Inventory) -> str:
    """The first thing that the call names and the backend lacks, in a sentence; '' where nothing is missing."""
    return next(_lacking(call, inventory), "")


def prompts_of(body: Txt2Img | Img2Img) -> str:
    """All that it is drawn by: the second pass may have a prompt of its own."""
    return f"{body.prompt} {body.hr_prompt}" if isinstance(body, Txt2Img) and body.enable_hr else body.prompt


def loras_in(prompt: str) -> list[str]:
    """The names of the LoRAs that a prompt uses, each once."""
    return list(dict.fromkeys(name.strip() for name in _LORA.findall(prompt)))


def _lacking(call: Call, inventory: Inventory) -> Iterator[str]:
    if isinstance(call, (Txt2Img, Img2Img)):
        yield from _generation(call, inventory)
    elif isinstance(call, ExtraSingle):
        for name in (call.upscaler_1, call.upscaler_2):
            if name not in (*inventory.upscalers, *NOTHING):
                yield f'there is no upscaler "{name}".{near_miss(name, inventory.upscalers)}'
    elif isinstance(call, Detect):
        yield from _module(call.controlnet_module, inventory)


def _generation(body: Txt2Img | Img2Img, inventory: Inventory) -> Iterator[str]:
    options = body.override_settings or {}
    for name in (options.get("sd_model_checkpoint"), body.refiner_checkpoint, getattr(body, "hr_checkpoint_name", None)):
        if name and name not in SAME_AS_FIRST and inventory.checkpoint(str(name)) is None:
            yield f'there is no checkpoint "{name}".{near_miss(str(name), inventory.named("checkpoint"))}'
    vae = str(options.get("sd_vae") or "")
    if vae not in NOTHING and vae not in inventory.named("vae"):
        yield f'there is no VAE "{vae}".{near_miss(vae, inventory.named("vae"))}'
    yield from _sampling(body, inventory)
    for name in loras_in(prompts_of(body)):
        if inventory.lora(name) is None:
            yield f'there is no LoRA "{name}".{near_miss(name, inventory.named("lora"))} Put the file into its Lora folder.'
    for name in body.styles or []:
        if name not in inventory.named("style"):
            yield f'there is no style "{name}".{near_miss(name, inventory.named("style"))}'
    upscaler = getattr(body, "hr_upscaler", None)
    if getattr(body, "enable_hr", False) and upscaler and upscaler not in (*inventory.named("upscaler"), *NOTHING):
        yield f'there is no upscaler "{upscaler}".{near_miss(upscaler, inventory.named("upscaler"))}'
    yield from _scripts(body, inventory)


def _sampling(body: Generation, inventory: Inventory) -> Iterator[str]:
    for name in (body.sampler_name, getattr(body, "hr_sampler_name", None)):
        known = not name or name in SAME_AS_FIRST or inventory.sampler(name) or inventory.sampler_and_scheduler(name)
        if not known:
            yield f'there is no sampler "{name}".{near_miss(str(name), [found.name for found in inventory.samplers])}'
    for name in (body.scheduler, getattr(body, "hr_scheduler", None)):
        if name and name not in SAME_AS_FIRST and inventory.scheduler(name) is None:
            yield f'there is no scheduler "{name}".{near_miss(name, [found.label for found in inventory.schedulers])}'


def _scripts(body: Generation, inventory: Inventory) -> Iterator[str]:
    for name in filter(None, (body.script_name, *body.alwayson_scripts)):
        if name.lower() == "controlnet" and not inventory.has_controlnet:
            yield "it has no ControlNet. Install the extension sd-webui-controlnet there, or leave the units out."
        elif name.lower() not in inventory.scripts:
            yield f'there is no script "{name}".{near_miss(name, inventory.scripts)} Install its extension there.'
    units = [unit for unit in read_units(body.alwayson_scripts).units if unit.enabled]
    if len(units) > inventory.units:
        yield f"it takes {inventory.units} ControlNet units, and {len(units)} are asked for; raise its setting for that, or use fewer."
    for unit in units:
        yield from _unit(unit, inventory)


def _unit(unit: ControlNetUnit, inventory: Inventory) -> Iterator[str]:
    yield from _module(unit.module, inventory)
    if unit.model not in NOTHING and inventory.controlnet(unit.model) is None:
        yield f'there is no ControlNet model "{unit.model}".{near_miss(unit.model, inventory.named("controlnet"))}'
    if unit.control_mode != "Balanced" and not inventory.control_modes:
        yield f'it takes no heed of control_mode "{unit.control_mode}"; use Balanced, and another weight.'


def _module(name: str, inventory: Inventory) -> Iterator[Any]:
    if not inventory.has_controlnet:
        yield "it has no ControlNet. Install the extension sd-webui-controlnet there."
    elif inventory.module(name) is None:
        yield f'there is no preprocessor "{name}".{near_miss(name, inventory.modules)}'
