"""Drawn scenes as tensors for the two judging networks, and how they are spoilt so that the networks also know made pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from tests.demo_model.painter import PARTS
from tests.demo_model.scenes import Scene, Subject


@dataclass(frozen=True)
class Drawn:
    """N scenes: pictures uint8 (N, 3, S, S); depth and the four part masks uint8 (N, 5, S, S); subjects."""

    pictures: torch.Tensor
    targets: torch.Tensor
    subjects: list[Subject]


def draw(scene: Callable[[int], Scene], count: int) -> Drawn:
    """Draw the first ``count`` scenes."""
    scenes = [scene(i) for i in range(count)]
    pictures = np.stack([np.asarray(s.picture) for s in scenes])
    targets = np.stack([np.stack([np.asarray(layer) for layer in (s.depth, *(s.masks[p] for p in PARTS))]) for s in scenes])
    return Drawn(torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(targets), [s.subject for s in scenes])


def spoil(pictures: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """Change brightness, contrast and tint a little, blur half of the pictures, add noise: values in 0..1, (N, 3, S, S)."""
    n = len(pictures)

    def draw_between(low: float, high: float, channels: int) -> torch.Tensor:
        return low + (high - low) * torch.rand((n, channels, 1, 1), generator=random)

    changed = (pictures - 0.5) * draw_between(0.85, 1.1, 1) + 0.5 + draw_between(-0.05, 0.05, 1) + draw_between(-0.03, 0.03, 3)
    small = F.interpolate(changed, scale_factor=0.5, mode="bilinear", antialias=True)
    soft = F.interpolate(small, size=pictures.shape[-1], mode="bilinear")
    share = draw_between(-0.5, 1.0, 1).clamp(min=0)
    changed = changed * (1 - share) + soft * share
    return (changed + 0.03 * torch.randn(changed.shape, generator=random) * draw_between(0, 1, 1)).clamp(0, 1)
