"""Do strength, steps and seeds do what they are set for?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lib_extension.preflight.finding import Finding
from lib_extension.preflight.look import Look
from lib_extension.stages.inpaint import FILLS, InpaintStage

FEWEST_STEPS = 3

_ORIGINAL = FILLS.index("original")
# Models that are made to draw in very few steps say so in their names.
_DISTILLED = re.compile(r"turbo|lightning|lcm|hyper|schnell|dmd|distill", re.IGNORECASE)


def denoising_strength_0(look: Look) -> Iterator[Finding]:
    """Nothing is redrawn then."""
    if look.drawn is not None and getattr(look.drawn, "denoising_strength", None) == 0:
        yield look.warning(
            "denoising_strength", "The denoising strength is 0: the picture goes through the VAE and stays as it is. Try 0.2 to 0.6."
        )


def denoising_strength_1(look: Look) -> Iterator[Finding]:
    """Nothing is kept then."""
    if look.drawn is None or getattr(look.drawn, "denoising_strength", None) != 1:
        return
    if not isinstance(look.drawn, InpaintStage):
        told = "The denoising strength is 1: nothing of the picture taken stays, only its size."
        yield look.warning("denoising_strength", f"{told} Try 0.2 to 0.6, or use txt2img.")
    elif look.drawn.inpainting_fill in ("original", _ORIGINAL):
        told = "The denoising strength is 1: of what the mask covers nothing stays, although the drawing starts from it."
        yield look.warning("denoising_strength", f'{told} Lower it, or set inpainting_fill to "fill" or "latent noise".')


def few_steps(look: Look) -> Iterator[Finding]:
    """So few do for models alone that are made for it."""
    if look.drawn is None or _is_distilled(look):
        return
    strength = getattr(look.drawn, "denoising_strength", None)
    if look.drawn.steps < FEWEST_STEPS:
        yield look.warning("steps", f"{look.drawn.steps} steps leave a blur; most models need 15 to 30.")
    elif strength and look.drawn.steps * strength < 1:
        yield look.warning(
            "steps", f"Of {look.drawn.steps} steps a denoising strength of {strength:g} walks none or one. Raise either of them."
        )


def seed_policy_without_effect(look: Look) -> Iterator[Finding]:
    """A stage that takes nothing has no candidates."""
    if look.drawn is not None and look.drawn.seed_policy == "per candidate" and not look.takes:
        told = 'The seed policy "per candidate" counts the pictures taken, and this stage takes none: every item has the same seed.'
        yield look.warning("seed_policy", f'{told} Use "per item".')


def variation_without_effect(look: Look) -> Iterator[Finding]:
    """Noise mixed with itself is the same noise."""
    if look.drawn is not None and look.drawn.subseed_strength > 0 and look.drawn.subseed < 0:
        yield look.warning("subseed", "The variation seed is the seed itself, so that the variation does nothing. Give it another number.")


def negative_prompt_without_effect(look: Look) -> Iterator[Finding]:
    """At CFG scale 1 the model is not asked what the negative prompt says."""
    if look.drawn is not None and look.drawn.cfg_scale <= 1 and look.drawn.negative_prompt.strip():
        told = f"At a CFG scale of {look.drawn.cfg_scale:g} the negative prompt has no effect."
        yield look.warning("negative_prompt", f"{told} Leave it out, or raise the CFG scale.")


def _is_distilled(look: Look) -> bool:
    names = [look.checkpoint.name if look.checkpoint else "", *(use.name for use in look.loras)]
    names.append(look.drawn.sampler_name if look.drawn else "")
    return any(_DISTILLED.search(name) for name in names)
