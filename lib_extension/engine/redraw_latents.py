"""From which latents does redrawing start, and which of them stay?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from lib_extension.engine.inpainting import with_hole
from lib_extension.engine.latents import PIXELS, encode, to_tensor
from lib_extension.engine.noise import PictureNoise, Seeds
from lib_extension.engine.redraw import Redraw
from lib_extension.engine.task import Task
from lib_extension.pictures.sizes import LATENT, floor_to_8

LATENT_NOISE, LATENT_NOTHING = 2, 3


@dataclass(frozen=True)
class Start:
    """``keep`` (1, 1, h, w) is 1 where the latents stay; ``shown`` is what inpainting models see besides."""

    latents: Tensor  # (B, C, h, w)
    keep: Tensor | None
    shown: Tensor | None


def start_latents(task: Task, redraw: Redraw, *, inpainting_model: bool) -> Start:
    asked, vae = task.asked, task.loaded.checkpoint.vae
    pictures = to_tensor([_whole_latents(picture) for picture in redraw.pictures])  # (1 or B, 3, H, W)
    latents = encode(vae, pictures)
    if redraw.request.resize_mode == LATENT and redraw.masked is None:
        latents = F.interpolate(latents, (asked.height // PIXELS, asked.width // PIXELS), mode="bilinear")
    latents = latents.expand(redraw.batch_size, -1, -1, -1)
    keep = None
    if redraw.masked is not None:
        keep = 1 - _latent_mask(redraw, latents).to(latents.device)
        if redraw.request.inpainting_fill == LATENT_NOISE:
            seeds = asked.seeds[: redraw.batch_size]
            noise = PictureNoise(tuple(latents.shape[1:]), Seeds(seeds, ())).first().to(latents.device)
            latents = latents * keep + noise * (1 - keep)
        elif redraw.request.inpainting_fill == LATENT_NOTHING:
            latents = latents * keep
    shown = _shown(task, redraw, pictures, latents) if inpainting_model else None
    return Start(latents, keep, shown)


def _whole_latents(picture: Image.Image) -> Image.Image:
    """The picture without the last rows and columns that fill no latent pixel (only mode 3 leaves a size as it is)."""
    return picture.crop((0, 0, floor_to_8(picture.width), floor_to_8(picture.height)))


def _latent_mask(redraw: Redraw, latents: Tensor) -> Tensor:
    """(1, 1, h, w): 1 where to redraw. Rounded to 0 or 1 unless mask_round says no."""
    assert redraw.masked is not None
    small = redraw.masked.latent.convert("RGB").resize((latents.shape[3], latents.shape[2]))
    values = np.asarray(small, dtype=np.float32)[:, :, 0] / 255
    return torch.from_numpy(np.around(values) if redraw.request.mask_round else values)[None, None]


def _shown(task: Task, redraw: Redraw, pictures: Tensor, latents: Tensor) -> Tensor:
    if redraw.masked is None:
        mask = torch.ones(1, 1, pictures.shape[2], pictures.shape[3])
    else:
        values = np.asarray(redraw.masked.latent, dtype=np.float32)[None, None] / 255
        mask = torch.from_numpy(np.around(values) if redraw.request.mask_round else values)
    shown = with_hole(task.loaded.checkpoint.vae, pictures, mask, float(task.asked.options["inpainting_mask_weight"]))
    shown = F.interpolate(shown, latents.shape[-2:])
    return shown.expand(redraw.batch_size, -1, -1, -1)
