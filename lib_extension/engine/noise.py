"""Which noise does each picture of a batch start from and get on its way?

Every picture has a generator of its own, seeded by its seed, so it comes out the same alone and in any batch. Numbers are
drawn on the CPU in fp32, as the WebUI does there, whatever device samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Seeds:
    """The seeds of one batch. ``resize_from`` is (height, width) in px of the picture whose noise is kept, or None.

    ``later_offset`` ("ENSD") is added to the seeds for all noise after the first.
    """

    seeds: tuple[int, ...]
    subseeds: tuple[int, ...]
    subseed_strength: float = 0.0
    resize_from: tuple[int, int] | None = None
    later_offset: int = 0


class PictureNoise:
    """Standard normal noise for a batch of latents of ``shape`` (C, h, w): ``first()`` once, then ``next()``."""

    def __init__(self, shape: Sequence[int], seeds: Seeds) -> None:
        self.shape = tuple(shape)
        self.seeds = seeds
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds.seeds]

    def first(self) -> Tensor:
        noise = torch.stack([self._start(i) for i in range(len(self.seeds.seeds))])  # (B, C, h, w)
        if self.seeds.later_offset:
            self._generators = [torch.Generator().manual_seed(seed + self.seeds.later_offset) for seed in self.seeds.seeds]
        return noise

    def next(self) -> Tensor:
        return torch.stack([torch.randn(self.shape, generator=generator) for generator in self._generators])  # (B, C, h, w)

    def _start(self, i: int) -> Tensor:
        seeds = self.seeds
        shape = self.shape
        if seeds.resize_from is not None:
            shape = (shape[0], seeds.resize_from[0] // 8, seeds.resize_from[1] // 8)
        resized = shape != self.shape
        noise = _drawn(seeds.seeds[i], shape) if resized else torch.randn(shape, generator=self._generators[i])  # (C, h, w)
        if seeds.subseed_strength:
            noise = slerp(seeds.subseed_strength, noise, _drawn(seeds.subseeds[i], shape))
        if resized:
            noise = _centred(noise, torch.randn(self.shape, generator=self._generators[i]))
        return noise


def slerp(share: float, low: Tensor, high: Tensor) -> Tensor:
    """From ``low`` (``share`` 0) to ``high`` (1) on a great circle; (C, h, w).

    The angle is taken along the second axis, the height, because the WebUI takes it there; nearly parallel noise is
    mixed linearly, and there the WebUI has the two the other way round.
    """
    low_unit = low / low.norm(dim=1, keepdim=True)
    high_unit = high / high.norm(dim=1, keepdim=True)
    cosine = (low_unit * high_unit).sum(1)  # (C, w)
    if cosine.mean() > 0.9995:
        return low * share + high * (1 - share)
    angle = cosine.acos()
    sine = angle.sin()
    return ((1 - share) * angle).sin().div(sine).unsqueeze(1) * low + (share * angle).sin().div(sine).unsqueeze(1) * high


def _drawn(seed: int, shape: tuple[int, ...]) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _centred(small: Tensor, around: Tensor) -> Tensor:
    """``small`` laid on the middle of ``around``; what does not fit is cut off alike on both sides."""
    dx = (around.shape[2] - small.shape[2]) // 2
    dy = (around.shape[1] - small.shape[1]) // 2
    width = small.shape[2] + min(2 * dx, 0)
    height = small.shape[1] + min(2 * dy, 0)
    to_x, to_y, from_x, from_y = max(dx, 0), max(dy, 0), max(-dx, 0), max(-dy, 0)
    around[:, to_y : to_y + height, to_x : to_x + width] = small[:, from_y : from_y + height, from_x : from_x + width]
    return around
