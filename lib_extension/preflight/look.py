"""What does a rule look at? One stage with its variables filled in, a backend's inventory, and what is known of files and pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from PIL import Image, ImageStat

from lib_extension.formats.kind import Family, Kind
from lib_extension.pictures import masks
from lib_extension.preflight.finding import Finding
from lib_extension.preflight.prompt_words import lora_tags
from lib_extension.spec.errors import BadFile
from lib_extension.spec.inventory import NOTHING, Checkpoint, FileKind, Inventory
from lib_extension.stages.hires import Hires
from lib_extension.stages.picture_settings import Control, PictureStage
from lib_extension.stages.txt2img import Txt2ImgStage
from lib_extension.stages.upscale import UpscaleStage

Size = tuple[int, int]  # width, height in px
_NO_HIRES = Hires()

Headers = Callable[[FileKind, str], Kind | None]  # of the file by that name; None: not at hand. May raise BadFile.


@dataclass(frozen=True)
class PictureFacts:
    """What is known of a picture that a run is given, before anything runs."""

    width: int  # px
    height: int
    coverage: float | None = None  # taken as a mask: how much of it is chosen, 0 to 1


def picture_facts(image: Image.Image) -> PictureFacts:
    """The facts of a picture or mask."""
    mask = masks.from_picture(image, rounded=False)
    coverage = ImageStat.Stat(mask).mean[0] / 255 if mask.getbbox() else 0.0
    return PictureFacts(*image.size, coverage)


@dataclass(frozen=True)
class LoraAsked:
    """A LoRA that a stage uses, beside which field."""

    field: str
    name: str
    weight: float


@dataclass(frozen=True)
class Look:
    """One instance of a stage at one backend."""

    stage: Any
    inventory: Inventory
    headers: Headers = lambda kind, name: None
    taken: PictureFacts | None = None  # of the picture taken, where it is known; its coverage only where it is an input
    takes: bool = False  # whether a picture comes in at all
    others: Mapping[str, PictureFacts | None] | None = field(default=None)  # pictures named; None: not planned yet

    def error(self, field: str, message: str) -> Finding:
        """A finding that keeps the run from starting."""
        return Finding("error", self.stage.id, field, message)

    def warning(self, field: str, message: str) -> Finding:
        """A finding that the run can be started with."""
        return Finding("warning", self.stage.id, field, message)

    @cached_property
    def drawn(self) -> PictureStage | None:
        """The settings of a stage that a model draws."""
        stage = self.stage
        only_enlarges = isinstance(stage, UpscaleStage) and stage.method == "upscaler"
        return stage if isinstance(stage, PictureStage) and not only_enlarges else None

    @cached_property
    def units(self) -> list[tuple[str, Control]]:
        """The controls that are in use, each with its field."""
        controls = self.drawn.controlnet if self.drawn else ()
        return [(f"controlnet[{place}]", control) for place, control in enumerate(controls) if control.enabled]

    @cached_property
    def loras(self) -> list[LoraAsked]:
        """Those of the list, and those that the prompt names by itself."""
        if self.drawn is None:
            return []
        listed = [LoraAsked(f"loras[{place}]", use.name, use.weight) for place, use in enumerate(self.drawn.loras) if use.name]
        listed += [LoraAsked("prompt", tag.name, tag.weight) for tag in lora_tags(self.drawn.prompt)]
        return listed + [LoraAsked("hires.hr_prompt", tag.name, tag.weight) for tag in lora_tags(self.hires.hr_prompt)]

    @property
    def hires(self) -> Hires:
        """txt2img's second pass; one in which nothing is set where there is none."""
        own = self.stage.hires if isinstance(self.stage, Txt2ImgStage) else None
        return own or _NO_HIRES

    @cached_property
    def checkpoint(self) -> Checkpoint | None:
        """The one that the stage draws with, where the backend has it."""
        if self.drawn is None:
            return None
        return self.inventory.checkpoint(str(self.drawn.override_settings.get("sd_model_checkpoint") or self.drawn.checkpoint))

    @cached_property
    def checkpoint_kind(self) -> Kind | None:
        """What its file says of it."""
        return self.kind("checkpoint", self.checkpoint.name) if self.checkpoint else None

    @property
    def family(self) -> Family:
        """Of the checkpoint."""
        return self.family_of(self.checkpoint)

    def family_of(self, checkpoint: Checkpoint | None) -> Family:
        """By the checkpoint's file, or by what the backend says."""
        if checkpoint is None:
            return "unknown"
        kind = self.kind("checkpoint", checkpoint.name)
        if kind is not None and kind.family != "unknown":
            return kind.family
        told: dict[str, Family] = {"sd1": "sd1", "sd2": "sd2", "sdxl": "sdxl", "sd3": "sd3", "flux": "flux"}
        return told.get(checkpoint.family, "unknown")

    def kind(self, kind: FileKind, name: str) -> Kind | None:
        """What the file is, by its header; None where it is not at hand or not sound."""
        try:
            return self.headers(kind, name)
        except BadFile:
            return None

    @property
    def files(self) -> Iterator[tuple[str, FileKind, str]]:
        """(field, kind, name) of every file that the stage names."""
        if self.drawn is None:
            return
        if self.checkpoint is not None:
            yield "checkpoint", "checkpoint", self.checkpoint.name
        if self.drawn.refiner_checkpoint:
            yield "refiner_checkpoint", "checkpoint", self.drawn.refiner_checkpoint
        if self.hires.hr_checkpoint_name:
            yield "hires.hr_checkpoint_name", "checkpoint", self.hires.hr_checkpoint_name
        if self.drawn.vae not in NOTHING:
            yield "vae", "vae", self.drawn.vae
        for use in self.loras:
            yield use.field, "lora", use.name
        for where, control in self.units:
            if control.model not in NOTHING:
                yield f"{where}.model", "controlnet", control.model
