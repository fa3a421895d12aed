"""Can a picture's second pass (hires fix, or a refiner's last steps) be drawn as it is set?"""

from __future__ import annotations

from collections.abc import Iterator

from lib_extension.preflight.finding import Finding
from lib_extension.preflight.look import Look
from lib_extension.stages.hires import LATENT
from lib_extension.stages.txt2img import Txt2ImgStage
from lib_extension.stages.upscale import UpscaleStage

SHARP_FROM = 0.5  # denoising strength from which on stretched latents are drawn sharp again


def refused_by_the_engine(look: Look) -> Iterator[Finding]:
    """The embedded engine draws a picture with one checkpoint."""
    if look.drawn is None or look.inventory.host != "engine":
        return
    told = "The embedded engine draws a picture with one checkpoint. Leave this out, redraw it by an img2img stage, or use a WebUI."
    asked = {"refiner_checkpoint": look.drawn.refiner_checkpoint, "hires.hr_checkpoint_name": look.hires.hr_checkpoint_name}
    yield from (look.error(field, told) for field, name in asked.items() if name)


def latent_upscaler_with_low_strength(look: Look) -> Iterator[Finding]:
    """Stretched latents are no picture yet: what is not redrawn stays a blur."""
    stage = look.stage
    if isinstance(stage, Txt2ImgStage) and stage.hires is not None:
        upscaler, strength, field = stage.hires.hr_upscaler, stage.hires.denoising_strength, "hires.denoising_strength"
    elif isinstance(stage, UpscaleStage):
        upscaler, strength, field = stage.upscaler, stage.denoising_strength, "denoising_strength"
    else:
        return
    if upscaler.startswith(LATENT) and strength < SHARP_FROM:
        told = f'With the upscaler "{upscaler}" a denoising strength of {strength:g} leaves a blur.'
        yield look.warning(field, f"{told} Use {SHARP_FROM:g} or more, or an upscaler of pictures, such as Lanczos or an ESRGAN.")
