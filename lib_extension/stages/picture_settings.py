"""What can be set for every stage that a model draws? Prompt, sampler, seed, checkpoint, LoRAs, ControlNet units; under the API's names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from lib_extension.spec.controlnet import ControlMode, HrOption, ResizeMode
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field
from lib_extension.stages.stage import Stage

HIGHEST_SEED = 2**32 - 1  # what the WebUI's own random seeds stay within
ASSUMED_PIXELS = 512 * 512  # of a stage whose size is known when its picture comes in

SeedPolicy = Literal["fixed", "per item", "per candidate"]

_BREAKS_LORA_TAG = re.compile(r"[<>:]")


@dataclass(frozen=True, kw_only=True)
class LoraUse(Settings):
    """A LoRA and how strongly it acts."""

    name: str = field(label="LoRA", help="As the prompt names it. Without a name, nothing is used.", names="loras")
    weight: float = field(1.0, label="Weight", minimum=-4, maximum=4, step=0.05)
    te_weight: float | None = field(
        None, label="Weight of the text encoder", minimum=-4, maximum=4, help="Without: as the weight.", advanced=True
    )

    def check(self) -> None:
        """Refuse names that would end the prompt's <lora:…> early."""
        if _BREAKS_LORA_TAG.search(self.name):
            raise BadRequest(f'A LoRA is called "{self.name}"; < > and : cannot stand in a <lora:…> tag. Rename the file.')

    @property
    def tag(self) -> str:
        """What stands for it in a prompt; the text encoder's weight comes before the U-Net's there."""
        if not self.name:
            return ""
        weights = [self.weight] if self.te_weight is None else [self.te_weight, self.weight]
        return f"<lora:{self.name}:{':'.join(f'{weight:g}' for weight in weights)}>"


@dataclass(frozen=True, kw_only=True)
class Control(Settings):
    """A picture that guides the drawing through a ControlNet, a T2I-Adapter, or as a reference. One ControlNet unit."""

    enabled: bool = field(True, label="Enabled")
    image: str = field("", label="Picture", help="A stage or an input; empty: the picture that the stage takes.", source="picture")
    module: str = field("none", label="Preprocessor", help='"none" where the picture is a control map already.', names="controlnet_modules")
    model: str = field(
        "None", label="Model", help='"None" for preprocessors that need none, such as reference_only.', names="controlnet_models"
    )
    weight: float = field(1.0, label="Control weight", minimum=0, maximum=2, step=0.05)
    guidance_start: float = field(0.0, label="Starting control step", minimum=0, maximum=1, step=0.01)
    guidance_end: float = field(1.0, label="Ending control step", minimum=0, maximum=1, step=0.01)
    control_mode: ControlMode = field("Balanced", label="Control mode", advanced=True)
    resize_mode: ResizeMode = field("Crop and Resize", label="Resize mode", advanced=True)
    processor_res: int = field(
        -1, label="Preprocessor resolution", minimum=-1, maximum=4096, help="Pixels; -1: the preprocessor's own.", advanced=True
    )
    threshold_a: float = field(-1, label="Threshold A", help="-1: the preprocessor's own.", advanced=True)
    threshold_b: float = field(-1, label="Threshold B", help="-1: the preprocessor's own.", advanced=True)
    pixel_perfect: bool = field(True, label="Pixel perfect", help="The map is as fine as the picture that is drawn.", advanced=True)
    hr_option: HrOption = field("Both", label="Hires fix", help="Which of txt2img's two passes it guides.", advanced=True)

    def check(self) -> None:
        """Refuse units that cannot act."""
        if self.guidance_start > self.guidance_end:
            raise BadRequest(f"A control's guidance_start {self.guidance_start:g} is after its guidance_end {self.guidance_end:g}.")
        if self.module.lower() == "none" and self.model.lower() == "none":
            raise BadRequest("A control has neither module nor model, so it would do nothing. Name a model, or leave the control out.")

    @property
    def inpaints(self) -> bool:
        """Whether the preprocessor looks at a mask beside the picture."""
        return self.module.lower().startswith("inpaint")


@dataclass(frozen=True, kw_only=True)
class PictureStage(Stage):
    """The settings that every stage has which a model draws."""

    has_mask = False  # no setting: whether the stage's calls carry a mask

    prompt: str = field("", label="Prompt", multiline=True, prompt=True)
    negative_prompt: str = field("", label="Negative prompt", multiline=True, prompt=True)
    styles: tuple[str, ...] = field((), label="Styles", help="Names from the backend's styles.", names="styles")
    checkpoint: str = field("", label="Checkpoint", help="Empty: the one that the backend has in use.", names="checkpoints")
    vae: str = field("Automatic", label="VAE", help="Automatic: the checkpoint's own.", names="vaes", advanced=True)
    clip_skip: int = field(1, label="Clip skip", minimum=1, maximum=12, advanced=True)
    loras: tuple[LoraUse, ...] = field((), label="LoRAs")
    controlnet: tuple[Control, ...] = field((), label="ControlNet")
    sampler_name: str = field("DPM++ 2M", label="Sampling method", names="samplers")
    scheduler: str = field("Karras", label="Schedule type", names="schedulers")
    steps: int = field(20, label="Sampling steps", minimum=1, maximum=1000)
    cfg_scale: float = field(7.0, label="CFG scale", minimum=0, maximum=100, step=0.5)
    width: int = field(0, label="Width", minimum=0, maximum=16384, step=8, help="Pixels; 0: as the picture taken.")
    height: int = field(0, label="Height", minimum=0, maximum=16384, step=8, help="Pixels; 0: as the picture taken.")
    batch_size: int = field(1, label="Batch size", minimum=1, maximum=64, help="Pictures at once; the seed goes up by one for each.")
    n_iter: int = field(1, label="Batch count", minimum=1, maximum=1000, advanced=True)
    seed: int = field(-1, label="Seed", minimum=-1, maximum=HIGHEST_SEED, help="-1: drawn once, when the run is planned.")
    seed_policy: SeedPolicy = field(
        "fixed",
        label="Seed policy",
        help="fixed: one for all; per item: goes up with the item; per candidate: with the picture taken.",
        advanced=True,
    )
    subseed: int = field(-1, label="Variation seed", minimum=-1, maximum=HIGHEST_SEED, help="-1: as the seed.", advanced=True)
    subseed_strength: float = field(0.0, label="Variation strength", minimum=0, maximum=1, step=0.01, advanced=True)
    eta: float | None = field(None, label="Eta", minimum=0, maximum=1, help="Without: the sampler's own.", advanced=True)
    tiling: bool = field(False, label="Tiling", help="The picture continues over its opposite edge.", advanced=True)
    refiner_checkpoint: str = field(
        "", label="Refiner", help="A second checkpoint that draws the last steps (SDXL).", names="checkpoints", advanced=True
    )
    refiner_switch_at: float = field(0.8, label="Switch to the refiner at", minimum=0, maximum=1, step=0.01, advanced=True)
    alwayson: dict[str, Any] = field(
        {},
        label="Other extensions",
        help="Their arguments for each call: name to a list, or to their object.",
        advanced=True,
    )
    override_settings: dict[str, Any] = field(
        {}, label="Options of the backend", help="For these calls only, under the backend's names.", advanced=True
    )

    def check(self) -> None:
        """Refuse ControlNet units in two places, and such as need a mask where there is none."""
        if any(name.lower() == "controlnet" for name in self.alwayson):
            raise BadRequest('"alwayson" has controlnet in it; its units go into the stage\'s field "controlnet".')
        for place, control in enumerate(self.controlnet):
            if control.enabled and control.inpaints and not self.has_mask:
                raise BadRequest(
                    f'controlnet[{place}].module is "{control.module}", which needs a mask. Use it in a stage of type inpaint.'
                )

    @property
    def lora_tags(self) -> list[str]:
        """What stands for the LoRAs in a prompt."""
        return [lora.tag for lora in self.loras if lora.tag]

    @property
    def count(self) -> int:
        """How many pictures one instance gives."""
        return self.batch_size * self.n_iter


def named_pictures(stage: PictureStage) -> tuple[str, ...]:
    """The stages and inputs whose pictures its controls name."""
    return tuple(dict.fromkeys(control.image for control in stage.controlnet if control.enabled and control.image))


def drawing_cost(stage: PictureStage, share: float = 1.0) -> float:
    """Megapixels × steps of one instance; `share` of the steps is walked, as by img2img with a lower strength."""
    pixels = stage.width * stage.height or ASSUMED_PIXELS
    return pixels / 1e6 * stage.steps * share * stage.count
