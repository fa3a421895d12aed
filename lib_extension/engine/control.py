"""How do the ControlNet units of a request guide the sampling?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from diffusers import ControlNetModel
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lib_extension.engine.annotators import Annotators, Module, Numbers, find_module, numbers_of, pixel_perfect
from lib_extension.engine.control_maps import fit_map
from lib_extension.engine.control_nets import Net, Nets, Unit
from lib_extension.engine.denoise import Control
from lib_extension.pictures.png import decode_picture
from lib_extension.spec.controlnet import ControlNetUnit, ResizeMode
from lib_extension.spec.errors import BadRequest

Pixels = NDArray[np.uint8]

EDGE_WIDTH = 7  # px, over which inpaint_only fades the original back in


@dataclass(frozen=True)
class Source:
    """What a unit without a picture of its own uses: the picture that is redrawn, its mask, and how it is resized.

    ``crop`` brings a picture of the same place to the part that is redrawn ("Only masked").
    """

    picture: Image.Image
    mask: Image.Image | None
    resize_mode: ResizeMode
    crop: Callable[[Image.Image, ResizeMode], Image.Image] | None = None


@dataclass(frozen=True)
class Target:
    """The sizes (width, height) in px of the first pass, and of the second if there is one."""

    size: tuple[int, int]
    hires: tuple[int, int] | None = None
    source: Source | None = None


@dataclass(frozen=True)
class Units:
    """The units of a request, ready. ``facts`` are their lines for the infotext."""

    units: tuple[Unit, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def pictures(self) -> list[Image.Image]:
        """The maps that are sent along, those of the hires pass before those of the first, as in the WebUI."""
        shown = [unit for unit in self.units if unit.asked.save_detected_map]
        return [_visible(pixels) for unit in shown for pixels in reversed(unit.maps) if pixels is not None]

    def control(self, *, hires: bool) -> Control | None:
        """The guidance of one pass, or None where no unit takes part in it."""
        other = "Low res only" if hires else "High res only"
        taking_part = [unit for unit in self.units if unit.asked.hr_option != other]
        return Nets([Net(unit, hires=hires) for unit in taking_part]) if taking_part else None

    def finish(self, pictures: Sequence[Image.Image]) -> list[Image.Image]:
        """inpaint_only lays the original over everything that was not to be painted."""
        finished = list(pictures)
        for unit in self.units:
            if unit.module.name == "inpaint_only":
                pixels = unit.maps[1] if unit.maps[1] is not None else unit.maps[0]
                finished = [_with_original(picture, pixels) for picture in finished]
        return finished


def facts_of(units: Sequence[ControlNetUnit], *, lenient: bool) -> dict[str, str]:
    """The infotext's line for each unit, as sd-webui-controlnet writes it."""
    return {f"ControlNet {i}": _fact(unit, lenient) for i, unit in enumerate(units)}


def check_units(units: Sequence[ControlNetUnit], target: Target, *, most: int) -> None:
    """Raises BadRequest for what sd-webui-controlnet would leave out in silence."""
    if len(units) > most:
        raise BadRequest(f"There are {len(units)} enabled ControlNet units; {most} are the most.")
    for i, unit in enumerate(units):
        if unit.model.lower() == "none":
            raise BadRequest(f"ControlNet unit {i} names no model. GET /controlnet/model_list lists them.")
        if unit.image is None and target.source is None:
            raise BadRequest(f"ControlNet unit {i} has no image.")
        if find_module(unit.module).inpaints and unit.image is not None and unit.mask is None:
            raise BadRequest(f"ControlNet unit {i}: the module {unit.module} needs a mask beside its image.")


@dataclass(frozen=True)
class Workshop:
    """What making a unit ready takes: the annotators, and the network of a model's name."""

    annotators: Annotators
    network: Callable[[str], ControlNetModel]
    device: torch.device
    lenient: bool


def make_ready(units: Sequence[ControlNetUnit], target: Target, workshop: Workshop) -> tuple[Unit, ...]:
    """Loads the networks and makes the maps. Raises what loading and annotating raise."""
    return tuple(_ready(unit, i, target, workshop) for i, unit in enumerate(units))


def _ready(asked: ControlNetUnit, i: int, target: Target, workshop: Workshop) -> Unit:
    module = find_module(asked.module)
    if module.name == "inpaint_only" and target.source is not None and target.source.mask is not None:
        module = find_module("inpaint")  # img2img keeps the original outside its mask already.
    network = workshop.network(asked.model)
    numbers = numbers_of(module, asked.processor_res, asked.threshold_a, asked.threshold_b, lenient=workshop.lenient)
    pixels, mode = _input(asked, i, module, target)
    width, height = target.size
    if asked.pixel_perfect:
        resolution = pixel_perfect(pixels, width, height, fits_inside=mode == "Resize and Fill")
        numbers = Numbers(resolution, numbers.a, numbers.b)
    found = workshop.annotators.map(module, pixels, numbers)
    maps = (fit_map(found, mode, width, height), fit_map(found, mode, *target.hires) if target.hires else None)
    return Unit(asked, module, numbers, network, maps, _region(asked, i, workshop.device))


def _input(asked: ControlNetUnit, i: int, module: Module, target: Target) -> tuple[Pixels, ResizeMode]:
    """The pixels that the module gets, with the mask as a fourth channel for modules that inpaint."""
    source = target.source
    if asked.image is not None:
        picture = decode_picture(asked.image, what=f"ControlNet unit {i}: image").convert("RGB")
        mask = decode_picture(asked.mask, what=f"ControlNet unit {i}: mask").convert("L") if asked.mask else None
        mode = asked.resize_mode
    else:
        assert source is not None  # check_units saw to it
        picture, mask, mode = source.picture.convert("RGB"), source.mask, source.resize_mode
        if not module.inpaints:
            mask = None
    if mask is not None and mask.size != picture.size:
        raise BadRequest(f"ControlNet unit {i}: the mask is {mask.width}×{mask.height}, the image {picture.width}×{picture.height}.")
    if mask is not None and not module.inpaints:
        covered = np.asarray(mask)
        if covered.max() > 5 and covered.min() < 250:  # A drawing in the mask is meant as the picture ("scribble").
            picture = mask.convert("RGB")
    if source is not None and source.crop is not None and asked.inpaint_crop_input_image:
        picture = source.crop(picture, mode)
        mask = source.crop(mask, mode) if mask is not None else None
    pixels = np.asarray(picture)
    if module.inpaints:
        inside = np.asarray(mask) if mask is not None else np.zeros(pixels.shape[:2], np.uint8)
        pixels = np.concatenate([pixels, inside[:, :, None]], axis=2)
    return pixels, mode


def _region(asked: ControlNetUnit, i: int, device: torch.device) -> Tensor | None:
    if asked.effective_region_mask is None:
        return None
    mask = decode_picture(asked.effective_region_mask, what=f"ControlNet unit {i}: effective_region_mask").convert("L")
    return torch.from_numpy(np.asarray(mask, dtype=np.float32) / 255)[None, None].to(device)


def _visible(pixels: Pixels) -> Image.Image:
    """The map as a picture; an inpaint mask shows as transparency."""
    if pixels.shape[2] == 3:
        return Image.fromarray(pixels)
    return Image.fromarray(np.concatenate([pixels[:, :, :3], 255 - pixels[:, :, 3:] // 2], axis=2))


def _with_original(picture: Image.Image, pixels: Pixels) -> Image.Image:
    if picture.size != (pixels.shape[1], pixels.shape[0]):
        return picture
    kernel = np.ones((EDGE_WIDTH, EDGE_WIDTH), np.uint8)
    share = cv2.blur(cv2.dilate(pixels[:, :, 3].astype(np.float32) / 255, kernel), (EDGE_WIDTH, EDGE_WIDTH))[:, :, None]
    mixed = share * np.asarray(picture, np.float32) + (1 - share) * pixels[:, :, :3]
    return Image.fromarray(mixed.clip(0, 255).astype(np.uint8))


def _fact(unit: ControlNetUnit, lenient: bool) -> str:
    module = find_module(unit.module)
    numbers = numbers_of(module, unit.processor_res, unit.threshold_a, unit.threshold_b, lenient=lenient)
    values = {
        "Module": unit.module,
        "Model": unit.model,
        "Weight": unit.weight,
        "Resize Mode": unit.resize_mode,
        "Processor Res": numbers.resolution,
        "Threshold A": numbers.a,
        "Threshold B": numbers.b,
        "Guidance Start": unit.guidance_start,
        "Guidance End": unit.guidance_end,
        "Pixel Perfect": unit.pixel_perfect,
        "Control Mode": unit.control_mode,
    }
    return ", ".join(f"{name}: {value}" for name, value in values.items())
