"""Which noise is added to a picture's latents, where plain noise is not enough?"""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional as F


def offset_noise(noise: Tensor, offset: float, chance: Generator) -> Tensor:
    """noise + offset * one number for each channel, so that the mean is learned too (Guttenberg 2023, Diffusion with Offset Noise)."""
    return noise + offset * torch.randn(noise.shape[0], noise.shape[1], 1, 1, generator=chance)


def pyramid_noise(noise: Tensor, discount: float, levels: int, chance: Generator) -> Tensor:
    """noise + the sum of discount^i * noise at 1/2^i of the size, brought to standard deviation 1 again, for each picture.

    (Whitaker 2023, Multi-Resolution Noise for Diffusion Model Training; there the sizes are drawn, too.) noise (B, C, h, w).
    """
    size = noise.shape[2], noise.shape[3]
    total = noise.clone()
    for level in range(1, levels + 1):
        small = max(1, size[0] >> level), max(1, size[1] >> level)
        coarse = torch.randn(*noise.shape[:2], *small, generator=chance)
        total += discount**level * F.interpolate(coarse, size=size, mode="bilinear")
        if min(small) == 1:
            break
    return total / total.std(dim=(1, 2, 3), keepdim=True)


def perturbed(noise: Tensor, strength: float, chance: Generator) -> Tensor:
    """What the model sees added, while `noise` stays what it is to find: Ning et al. 2023, arXiv:2301.11706, algorithm 1."""
    return noise + strength * torch.randn(noise.shape, generator=chance)
