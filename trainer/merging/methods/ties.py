"""TIES (Yadav et al. 2023, arXiv:2306.01708, algorithm 1): trim, elect signs, and average those that agree."""

from __future__ import annotations

import torch
from torch import Tensor

from trainer.merging.methods.prune import prune


def ties(changes: Tensor, density: float) -> Tensor:
    """One change (…) of several, (LoRAs, …), that hold their weights already."""
    return elected(torch.stack([prune(change, density) for change in changes]))


def elected(changes: Tensor) -> Tensor:
    """Steps 2 and 3: γ = sgn(Σ τᵢ) for each value, and then the mean of the τᵢ that are not 0 and have that sign."""
    sign = changes.sum(0).sign()
    agreeing = (changes.sign() == sign) & (changes != 0)
    count = agreeing.sum(0)
    return torch.where(agreeing, changes, 0.0).sum(0) / count.clamp(min=1)
