"""How much does each place of a picture count, where there is a mask of what is to be learned?"""

from __future__ import annotations

from torch import Tensor


def masked(losses: Tensor, mask: Tensor | None, unmasked_weight: float) -> Tensor:
    """The mean loss of each picture, (B,); outside of the mask (B, 1, h, w) it counts `unmasked_weight` times as much."""
    if mask is not None:
        losses = losses * (unmasked_weight + (1 - unmasked_weight) * mask)  # (B, C, h, w)
    return losses.mean(dim=(1, 2, 3))
