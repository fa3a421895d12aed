"""How does the second pass of txt2img ("hires fix") make a picture larger?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from lib_extension.engine.asked import check_size
from lib_extension.engine.inpainting import everything_hidden
from lib_extension.engine.latents import PIXELS, decode, encode, to_tensor
from lib_extension.engine.loras import Prompt, read_prompt
from lib_extension.engine.samplers import Choice, choose
from lib_extension.engine.sampling import Sampled, SamplerSettings, from_latents, sample
from lib_extension.engine.task import Batch, Task, takes_inpainting
from lib_extension.models.upscalers import upscale, upscaler_names
from lib_extension.pictures.sizes import STRETCH, floor_to_8, resize_image
from lib_extension.spec.errors import BadRequest, near_miss
from lib_extension.spec.sdapi import Txt2Img

SAME_CHECKPOINT = (None, "", "Use same checkpoint")
SAME_SAMPLER = (None, "", "Use same sampler")
SAME_SCHEDULER = (None, "", "Use same scheduler")


@dataclass(frozen=True)
class LatentMode:
    """How latents are stretched."""

    mode: str
    antialias: bool = False


LATENT_MODES = {
    "Latent": LatentMode("bilinear"),
    "Latent (antialiased)": LatentMode("bilinear", antialias=True),
    "Latent (bicubic)": LatentMode("bicubic"),
    "Latent (bicubic antialiased)": LatentMode("bicubic", antialias=True),
    "Latent (nearest)": LatentMode("nearest"),
    "Latent (nearest-exact)": LatentMode("nearest-exact"),
}


@dataclass(frozen=True)
class SecondPass:
    """``upscaled`` is the size that the first pass is stretched to, ``size`` what is left of it; (width, height) in px."""

    upscaled: tuple[int, int]
    size: tuple[int, int]
    upscaler: str
    settings: SamplerSettings
    strength: float
    prompt: Prompt
    negative_prompt: str
    facts: dict[str, Any]


def plan_second_pass(task: Task, request: Txt2Img) -> SecondPass:
    """Decides sizes, sampler and prompts. Raises BadRequest for what cannot be."""
    asked = task.asked
    if request.denoising_strength is None:
        raise BadRequest("enable_hr needs a denoising_strength, such as 0.6.")
    if request.hr_checkpoint_name not in SAME_CHECKPOINT and not asked.lenient:
        raise BadRequest("The engine makes both passes with one checkpoint. Leave out hr_checkpoint_name.")
    known = [*LATENT_MODES, *upscaler_names(task.engine.library)]
    upscaler = request.hr_upscaler or "Latent"
    if upscaler not in known:
        raise BadRequest(f'There is no upscaler "{upscaler}".{near_miss(upscaler, known)}')
    upscaled, size = sizes(request)
    check_size(*size, request.batch_size, "The picture of the second pass")
    same_sampler = request.hr_sampler_name in SAME_SAMPLER
    scheduler = asked.choice.schedule.label if request.hr_scheduler in SAME_SCHEDULER else request.hr_scheduler
    choice = choose(asked.choice.sampler.name if same_sampler else request.hr_sampler_name, scheduler, lenient=asked.lenient)
    prompt = task.prompt
    if request.hr_prompt:
        prompt = read_prompt(request.hr_prompt, task.engine.library, disabled=request.disable_extra_networks, lenient=task.engine.lenient)
    return SecondPass(
        upscaled=upscaled,
        size=size,
        upscaler=upscaler,
        settings=asked.sampler(choice, request.hr_second_pass_steps or request.steps),
        strength=request.denoising_strength,
        prompt=prompt,
        negative_prompt=request.hr_negative_prompt or request.negative_prompt,
        facts=_facts(request, None if same_sampler else choice.sampler.name, _told_schedule(asked.choice, choice)),
    )


def sizes(request: Txt2Img) -> tuple[tuple[int, int], tuple[int, int]]:
    """(stretched to, left of it). With both hr_resize_x and _y the proportions stay, and what is over is cut off."""
    width, height, to_x, to_y = request.width, request.height, request.hr_resize_x, request.hr_resize_y
    if to_x == 0 and to_y == 0:
        upscaled = int(width * request.hr_scale), int(height * request.hr_scale)
    elif to_y == 0 or (to_x != 0 and width / height < to_x / to_y):
        upscaled = to_x, to_x * height // width
    else:
        upscaled = to_y * width // height, to_y
    stretched = floor_to_8(upscaled[0]), floor_to_8(upscaled[1])
    if not (to_x and to_y):
        return stretched, stretched
    return stretched, (
        stretched[0] - (upscaled[0] - to_x) // PIXELS * PIXELS,
        stretched[1] - (upscaled[1] - to_y) // PIXELS * PIXELS,
    )


def second_pass(task: Task, plan: SecondPass, batch: Batch, latents: Tensor) -> Sampled:
    """``latents`` of the first pass, made larger and sampled again from the middle."""
    larger = _cut(_enlarged(task, plan, latents), plan.size)
    task.engine.progress.next_job()
    texts = task.texts(
        plan.prompt,
        plan.negative_prompt,
        plan.settings.choice,
        plan.settings.steps,
        base_steps=task.asked.choice.sampler.total_evaluations(task.asked.request.steps),
    )
    guidance = task.guidance(texts, plan.settings.choice, plan.size, hires=True)
    if takes_inpainting(task):
        hidden = everything_hidden(task.loaded.checkpoint.vae, (larger.shape[1], larger.shape[2], larger.shape[3]))
        guidance = replace(guidance, inpainting=hidden.expand(len(larger), -1, -1, -1))
    path = from_latents(plan.settings, task.loaded.levels, larger, plan.strength, all_steps=True)
    return sample(task.tools, plan.settings, path, guidance, batch.noise(tuple(larger.shape[1:])))


def _enlarged(task: Task, plan: SecondPass, latents: Tensor) -> Tensor:
    width, height = plan.upscaled
    mode = LATENT_MODES.get(plan.upscaler)
    if mode is not None:
        return F.interpolate(latents, (height // PIXELS, width // PIXELS), mode=mode.mode, antialias=mode.antialias)
    checkpoint, library = task.loaded.checkpoint, task.engine.library
    pictures = [
        resize_image(STRETCH, picture, width, height, lambda image, scale: upscale(plan.upscaler, image, scale, library, checkpoint.device))
        for picture in decode(checkpoint.vae, latents)
    ]
    return encode(checkpoint.vae, to_tensor(pictures))


def _cut(latents: Tensor, size: tuple[int, int]) -> Tensor:
    """The middle of size (width, height) px; of an odd rest, more is cut at the right and the bottom."""
    over_y = latents.shape[2] - size[1] // PIXELS
    over_x = latents.shape[3] - size[0] // PIXELS
    return latents[:, :, over_y // 2 : latents.shape[2] - (over_y + 1) // 2, over_x // 2 : latents.shape[3] - (over_x + 1) // 2]


def _told_schedule(first: Choice, second: Choice) -> str | None:
    """Where the second pass walks another schedule than is told of the first."""
    return None if second.told_schedule == first.told_schedule else second.told_schedule


def _facts(request: Txt2Img, sampler: str | None, schedule: str | None) -> dict[str, Any]:
    """The infotext's fields, in the WebUI's order; None is not written."""
    different_prompt = request.hr_prompt not in ("", request.prompt)
    different_negative = request.hr_negative_prompt not in ("", request.negative_prompt)
    facts: dict[str, Any] = {"Denoising strength": request.denoising_strength}
    if sampler is not None:
        facts["Hires sampler"] = sampler
    facts["Hires prompt"] = request.hr_prompt if different_prompt else None
    facts["Hires negative prompt"] = request.hr_negative_prompt if different_negative else None
    facts["Hires schedule type"] = schedule
    if request.hr_resize_x or request.hr_resize_y:
        facts["Hires resize"] = f"{request.hr_resize_x}x{request.hr_resize_y}"
    else:
        facts["Hires upscale"] = request.hr_scale
    if request.hr_second_pass_steps:
        facts["Hires steps"] = request.hr_second_pass_steps
    if request.hr_upscaler is not None:
        facts["Hires upscaler"] = request.hr_upscaler
    return facts
