"""How does a picture become the pixels of its bucket: resized, cut, mirrored, its colours changed?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageEnhance
from torch import Tensor

from lib_extension.spec.training.data import AugmentationSettings
from trainer.data.buckets import Fit
from trainer.data.chance import Turn
from trainer.data.example import Example
from trainer.data.pictures import alpha, as_mask, colours, read_again

_PIXELS = 8  # of the picture in one of the latent
_RESAMPLING = Image.Resampling.LANCZOS


@dataclass(frozen=True)
class Cut:
    """Where in the resized picture the bucket lies, and whether it is mirrored afterwards."""

    fit: Fit
    crop: tuple[int, int]  # top, left in the resized picture
    flip: bool = False

    @property
    def crop_seen(self) -> tuple[int, int]:
        """Top and left as the model is told: of a mirrored picture, what is missing on the left was missing on the right."""
        top, left = self.crop
        return top, self.fit.resized[1] - self.fit.bucket[1] - left if self.flip else left


def cut_at(example: Example, fit: Fit, turn: Turn) -> Cut:
    """As chance has it at this turn."""
    wanted = example.concept.augmentation
    crop = fit.crop
    if wanted.random_crop:
        dice = turn.dice("crop")
        crop = (dice.randint(0, fit.resized[0] - fit.bucket[0]), dice.randint(0, fit.resized[1] - fit.bucket[1]))
    return Cut(fit, crop, wanted.flip and turn.dice("flip").random() < 0.5)


def pixels_of(example: Example, cut: Cut, turn: Turn | None = None) -> Tensor:
    """(3, H, W) in -1..1. Colours are changed at a turn only."""
    image = _cut_out(colours(read_again(example.file, example.sha256)), cut)
    if turn is not None:
        image = recoloured(image, example.concept.augmentation, turn)
    values = torch.from_numpy(np.array(image))  # H W 3
    return values.permute(2, 0, 1).to(torch.float32).div_(127.5).sub_(1)


def mask_of(example: Example, cut: Cut) -> Image.Image:
    """The picture's mask in the bucket's size, mode L."""
    if example.mask is not None:
        image = as_mask(read_again(example.mask, example.mask_sha256))
    else:
        layer = alpha(read_again(example.file, example.sha256))
        assert layer is not None
        image = layer
    return _cut_out(image, cut)


def mask_values(mask: Image.Image) -> Tensor:
    """A mask of the bucket's size, mode L → its mean over each place of the latent, (1, H/8, W/8), 0..1."""
    height, width = mask.height // _PIXELS, mask.width // _PIXELS
    values = np.asarray(mask, np.float32).reshape(height, _PIXELS, width, _PIXELS).mean((1, 3)) / 255  # h w
    return torch.from_numpy(values)[None]


def recoloured(image: Image.Image, settings: AugmentationSettings, turn: Turn) -> Image.Image:
    """Brightness, contrast, saturation and hue, each changed by a random part of what is allowed."""
    dice = turn.dice("colours")
    for strength, kind in (
        (settings.brightness, ImageEnhance.Brightness),
        (settings.contrast, ImageEnhance.Contrast),
        (settings.saturation, ImageEnhance.Color),
    ):
        factor = 1 + dice.uniform(-strength, strength)
        if strength:
            image = kind(image).enhance(factor)
    degrees = dice.uniform(-settings.hue, settings.hue)
    return _turned(image, degrees) if settings.hue else image


def _cut_out(image: Image.Image, cut: Cut) -> Image.Image:
    height, width = cut.fit.resized
    if image.size != (width, height):
        image = image.resize((width, height), _RESAMPLING)
    top, left = cut.crop
    bucket_height, bucket_width = cut.fit.bucket
    if (height, width) != cut.fit.bucket:
        image = image.crop((left, top, left + bucket_width, top + bucket_height))
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if cut.flip else image


def _turned(image: Image.Image, degrees: float) -> Image.Image:
    hue, saturation, value = image.convert("HSV").split()
    steps = round(degrees / 360 * 256) % 256
    return Image.merge("HSV", (hue.point([(at + steps) % 256 for at in range(256)]), saturation, value)).convert("RGB")
