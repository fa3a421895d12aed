"""All LoRAs together, exactly: W + Σ wᵢ upᵢ downᵢ = W + [w₁up₁ w₂up₂ …] [down₁; down₂; …], a product of the ranks' sum.

Where that is more than any matrix of this size has, as LoHa's and LoKr's can be, the whole matrix times 1 is the smaller product.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from trainer.merging.factors import Factors, of_matrix


def concatenate(factors: Sequence[Factors]) -> Factors:
    """Of LoRAs that hold their weights already: up (out, Σ rank), down (Σ rank, in), of min(out, in) at most."""
    kernel = max((f.kernel for f in factors), key=len)
    together = Factors(torch.cat([f.scaled().up for f in factors], dim=1), torch.cat([f.down for f in factors]), kernel)
    too_many = together.rank > min(together.up.shape[0], together.down.shape[1])
    return of_matrix(together.dense(), kernel) if too_many else together
