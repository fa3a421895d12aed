"""Which timesteps are trained on, and which of them more often?"""

from __future__ import annotations

import torch
from torch import Tensor


def biased(chance: Tensor, bias: str, strength: float) -> Tensor:
    """Evenly drawn numbers in [0, 1) as numbers in [0, 1) that are more often small ("early"), large ("late") or in the middle.

    early: u^(1 + strength), whose density at x is that of x^(-strength / (1 + strength)). middle: logit-normal of scale 1 / strength
    (Esser et al. 2024, arXiv:2403.03206, equation 19).
    """
    if bias == "early":
        return chance ** (1 + strength)
    if bias == "late":
        return 1 - (1 - chance) ** (1 + strength)
    if bias == "middle":
        return torch.sigmoid(torch.special.ndtri(chance.double().clamp(1e-9, 1 - 1e-9)) / strength).to(chance)
    return chance


def timesteps(chance: Tensor, first: int, last: int) -> Tensor:
    """Numbers in [0, 1) as timesteps from `first` to `last`, both included; int64."""
    return (first + (chance * (last - first + 1)).floor().long()).clamp(max=last)
