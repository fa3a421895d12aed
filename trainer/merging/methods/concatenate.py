"""All LoRAs together, exactly: W + Σ wᵢ upᵢ downᵢ = W + [w₁up₁ w₂up₂ …] [down₁; down₂; …], a product of the ranks' sum."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from trainer.merging.factors import Factors


def concatenate(factors: Sequence[Factors]) -> Factors:
    """Of LoRAs that hold their weights already: up (out, Σ rank), down (Σ rank, in)."""
    kernel = max((f.kernel for f in factors), key=len)
    return Factors(torch.cat([f.up for f in factors], dim=1), torch.cat([f.down for f in factors]), kernel)
