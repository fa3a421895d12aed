"""What finds subjects and enlarges pictures while they are prepared? Loaded once in each process, when first asked for."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from lib_extension.models.esrgan import Esrgan, enlarge, load_esrgan
from lib_extension.models.library import DEMO
from lib_extension.models.parts import Parts
from lib_extension.spec.dataset import PrepareSettings
from lib_extension.spec.errors import BadFile, BadRequest
from trainer.data.pictures import DAMAGE, as_mask, opened, upright
from trainer.dataset.prepare import Tools

_ENDINGS = (".png", ".webp", ".jpg")


def tools_for(settings: PrepareSettings, name: str) -> Tools:
    """For the picture `name` of the folder."""
    return Tools(lambda picture: _subject(picture, settings, name), lambda picture: _enlarged(picture, settings.upscaler))


def _subject(picture: Image.Image, settings: PrepareSettings, name: str) -> Image.Image:
    if not settings.masks:
        return parts_network(settings.network).masks(picture)["object"]
    stem = Path(settings.masks) / Path(name).with_suffix("")
    file = next((path for ending in _ENDINGS if (path := stem.with_name(stem.name + ending)).is_file()), None)
    if file is None:
        raise BadRequest(f'There is no mask "{stem.name}{_ENDINGS[0]}" for it in the folder of masks.')
    try:
        mask = as_mask(upright(opened(file.read_bytes())))
    except DAMAGE as problem:
        raise BadFile(f'Its mask "{file.name}" cannot be read as a picture.') from problem
    return mask.resize(picture.size, Image.Resampling.BILINEAR)


@cache
def parts_network(folder: str) -> Parts:
    """The network that finds objects and faces; the demo model's where none is named."""
    return Parts(Path(folder) if folder else DEMO / "parts")


def _enlarged(picture: Image.Image, file: str) -> Image.Image:
    if not file:
        raise BadRequest("enlarge is upscaler, but upscaler names no file. Name one, or set enlarge to lanczos.")
    network = _upscaler(file)
    if network.factor == 1:
        raise BadRequest(f'"{Path(file).name}" does not enlarge pictures. Name another upscaler.')
    pixels = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1) / 255  # (3, H, W)
    larger = enlarge(network, pixels).mul(255).round().to(torch.uint8)
    return Image.fromarray(larger.permute(1, 2, 0).numpy())


@cache
def _upscaler(file: str) -> Esrgan:
    return load_esrgan(Path(file), torch.device("cpu"))
