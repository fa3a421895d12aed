"""DARE (Yu et al. 2023, arXiv:2311.03099, equation 1): drop values at random, and rescale the rest so that the expected change stays."""

from __future__ import annotations

import torch
from torch import Tensor


def dare(change: Tensor, density: float, generator: torch.Generator) -> Tensor:
    """δ̂ = m ∘ δ / density with m ~ Bernoulli(density), the paper's 1 − p; any shape."""
    if density <= 0:
        return torch.zeros_like(change)
    if density >= 1:
        return change
    kept = torch.rand(change.shape, generator=generator) < density
    return torch.where(kept, change / density, 0.0)
