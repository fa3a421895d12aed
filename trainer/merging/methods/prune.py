"""Only the largest values of a change: magnitude pruning (Han et al. 2015, arXiv:1506.02626), the first step of TIES."""

from __future__ import annotations

import torch
from torch import Tensor


def prune(change: Tensor, density: float) -> Tensor:
    """`change` with all but this share of its values, the largest by size, set to 0; any shape. Of equal ones at the edge, all stay."""
    kept = round(density * change.numel())
    if kept <= 0:
        return torch.zeros_like(change)
    if kept >= change.numel():
        return change
    sizes = change.abs()
    least = torch.kthvalue(sizes.flatten(), change.numel() - kept + 1).values
    return torch.where(sizes >= least, change, 0.0)
