"""How does txt2img draw its picture a second time, larger? What the WebUI calls hires fix, under the API's names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field
from lib_extension.stages.frame import Frame

LATENT = "Latent"  # begins the names of the upscalers that stretch what the model works on, not the picture


@dataclass(frozen=True, kw_only=True)
class Hires(Settings):
    """The second pass: the drawing is made larger and redrawn, before it ever becomes a file. Empty fields are as in the first pass."""

    hr_upscaler: str = field(
        "Latent", label="Upscaler", help="As the backend lists it; Latent and its like need a strength from 0.5 on.", names="upscalers"
    )
    hr_scale: float = field(2.0, label="Scale", minimum=1, maximum=8, step=0.05, help="Width and height come before it.")
    hr_resize_x: int = field(0, label="Width", minimum=0, maximum=16384, step=8, help="Pixels; 0: by the scale.", advanced=True)
    hr_resize_y: int = field(0, label="Height", minimum=0, maximum=16384, step=8, help="Pixels; 0: by the scale.", advanced=True)
    denoising_strength: float = field(0.7, label="Denoising strength", minimum=0, maximum=1, step=0.01)
    hr_second_pass_steps: int = field(0, label="Steps", minimum=0, maximum=1000)
    hr_checkpoint_name: str = field("", label="Checkpoint", names="checkpoints", advanced=True)
    hr_sampler_name: str = field("", label="Sampling method", names="samplers", advanced=True)
    hr_scheduler: str = field("", label="Schedule type", names="schedulers", advanced=True)
    hr_prompt: str = field("", label="Prompt", multiline=True, prompt=True, advanced=True)
    hr_negative_prompt: str = field("", label="Negative prompt", multiline=True, prompt=True, advanced=True)

    def check(self) -> None:
        """Refuse no upscaler."""
        if self.hr_upscaler in ("", "None"):
            raise BadRequest(f'hr_upscaler is "{self.hr_upscaler}", which enlarges nothing; name one that the backend has, such as Latent.')

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Of the result, from the first pass' size. Where one side alone is set, the other follows the proportions."""
        across, down = self.hr_resize_x, self.hr_resize_y
        if not across and not down:
            return round(width * self.hr_scale), round(height * self.hr_scale)
        return across or round(width * down / height), down or round(height * across / width)


def hires_fields(hires: Hires | None, larger: Frame, lora_tags: Sequence[str]) -> dict[str, Any]:
    """The fields of txt2img's body that say it; None for those that mean "as in the first pass".

    The size is always told in pixels: by a scale, hosts floor it to a multiple of 8, and the result would be another one than asked for.
    A prompt of its own brings its own LoRAs, so that the stage's are added to it too.
    """
    if hires is None:
        return {"denoising_strength": 0.0, "enable_hr": False}
    width, height = larger.asked
    return {
        "enable_hr": True,
        "denoising_strength": hires.denoising_strength,
        "hr_scale": hires.hr_scale,
        "hr_resize_x": width,
        "hr_resize_y": height,
        "hr_upscaler": hires.hr_upscaler,
        "hr_second_pass_steps": hires.hr_second_pass_steps,
        "hr_checkpoint_name": hires.hr_checkpoint_name or None,
        "hr_sampler_name": hires.hr_sampler_name or None,
        "hr_scheduler": hires.hr_scheduler or None,
        "hr_prompt": " ".join(filter(None, [hires.hr_prompt, *lora_tags])) if hires.hr_prompt else "",
        "hr_negative_prompt": hires.hr_negative_prompt,
    }
