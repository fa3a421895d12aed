"""What finds subjects and enlarges pictures while they are prepared? Loaded once in each process, when first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from lib_extension.models.library import DEMO
from lib_extension.models.parts import Parts
from lib_extension.spec.dataset import PrepareSettings
from lib_extension.spec.errors import BadFile, BadRequest
from trainer.data.pictures import DAMAGE, TooManyPixels, UnknownPixels, as_mask, opened, upright
from trainer.dataset.prepare import Pixels, Tools, wants_subject

if TYPE_CHECKING:
    from lib_extension.models.esrgan import Esrgan

_ENDINGS = (".png", ".webp", ".jpg")
_OTHER_SHAPE = 0.02  # from here on a training says that a mask is none of the picture


@dataclass(frozen=True)
class MaskFile:
    """A mask as it was read."""

    name: str
    data: bytes

    def of_size(self, size: tuple[int, int], *, of_shape: bool = False) -> Image.Image:
        """Mode L. Raises BadFile where it is no picture; of_shape: also where it would have to be squeezed."""
        try:
            mask = as_mask(upright(opened(self.data)))
        except (TooManyPixels, UnknownPixels, *DAMAGE) as problem:
            raise BadFile(f'Its mask "{self.name}" cannot be read as a picture.') from problem
        (width, height), (w, h) = mask.size, size
        if of_shape and abs(width * h - height * w) > _OTHER_SHAPE * width * h:
            raise BadFile(f'Its mask "{self.name}" has another shape: {width} × {height} for {w} × {h}. Draw it anew.')
        return mask if mask.size == size else mask.resize(size, Image.Resampling.BILINEAR)


@dataclass(frozen=True)
class Masks:
    """Those that there are for a picture: what shows its subject, and what goes along with it."""

    subject: MaskFile | None = None
    beside: MaskFile | None = None


def masks_for(settings: PrepareSettings, name: str, beside: Path | None) -> Masks:
    """For the picture `name` of the folder, as far as they are needed. `beside`: the mask that lies with it. Raises BadRequest, OSError."""
    subject = _in_folder(settings, name) if settings.masks and wants_subject(settings) else None
    return Masks(_read(subject), _read(beside) if settings.background == "keep" else None)


def tools_for(settings: PrepareSettings, masks: Masks, size: tuple[int, int]) -> Tools:
    """For a picture of this size."""

    def subject(picture: Image.Image, part: Pixels) -> Image.Image:
        if masks.subject:
            return masks.subject.of_size(picture.size).crop(part)
        return parts_network(settings.network).masks(picture.crop(part))["object"]

    beside = masks.beside.of_size(size, of_shape=True) if masks.beside else None
    return Tools(subject, lambda picture: _enlarged(picture, settings.upscaler), beside)


def _in_folder(settings: PrepareSettings, name: str) -> Path:
    stem = Path(settings.masks) / Path(name).with_suffix("")
    file = next((path for ending in _ENDINGS if (path := stem.with_name(stem.name + ending)).is_file()), None)
    if file is None:
        raise BadRequest(f'There is no mask "{stem.name}{_ENDINGS[0]}" for it in the folder of masks.')
    return file


def _read(file: Path | None) -> MaskFile | None:
    return MaskFile(file.name, file.read_bytes()) if file else None


@cache
def parts_network(folder: str) -> Parts:
    """The network that finds objects and faces; the demo model's where none is named."""
    return Parts(Path(folder) if folder else DEMO / "parts")


def _enlarged(picture: Image.Image, file: str) -> Image.Image:
    if not file:
        raise BadRequest("enlarge is upscaler, but upscaler names no file. Name one, or set enlarge to lanczos.")
    import torch  # here, as only those who enlarge pictures should wait for it, in each process anew

    from lib_extension.models.esrgan import enlarge

    network = _upscaler(file)
    if network.factor == 1:
        raise BadRequest(f'"{Path(file).name}" does not enlarge pictures. Name another upscaler.')
    pixels = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1) / 255  # (3, H, W)
    larger = enlarge(network, pixels).mul(255).round().to(torch.uint8)
    return Image.fromarray(larger.permute(1, 2, 0).numpy())


@cache
def _upscaler(file: str) -> Esrgan:
    import torch

    from lib_extension.models.esrgan import load_esrgan

    return load_esrgan(Path(file), torch.device("cpu"))
