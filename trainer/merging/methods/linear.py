"""The sum of the factors themselves: (Σ √sᵢ upᵢ)(Σ ±√sᵢ downᵢ), with sᵢ = |weight · alpha / rank|, as peft's "linear" computes it.

Its rank stays that of the largest, but the factors of different LoRAs meet in the product: it is not the sum of their changes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from trainer.merging.factors import Factors


def linear(factors: Sequence[Factors]) -> Factors:
    """Of LoRAs with their weights. Lower ranks are filled up with zeros, which change no product. As in peft, signs go into down."""
    rank = max(f.rank for f in factors)
    ups, downs = [], []
    for each in factors:
        root = abs(each.scale) ** 0.5
        ups.append(_wider(each.up, rank) * root)
        downs.append(_wider(each.down.T, rank).T * (root if each.scale >= 0 else -root))
    return Factors(torch.stack(ups).sum(0), torch.stack(downs).sum(0), max((f.kernel for f in factors), key=len))


def _wider(matrix: Tensor, columns: int) -> Tensor:
    wide = matrix.new_zeros(matrix.shape[0], columns)
    wide[:, : matrix.shape[1]] = matrix
    return wide
