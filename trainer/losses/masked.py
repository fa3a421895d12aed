"""How much does each place of a picture count, where there is a mask of what is to be learned?"""

from __future__ import annotations

from torch import Tensor


def masked(losses: Tensor, mask: Tensor | None) -> Tensor:
    """The mean loss of each picture, (B,); a place counts as the mask (B, 1, h, w) says, 0..1."""
    if mask is not None:
        losses = losses * mask  # (B, C, h, w)
    return losses.mean(dim=(1, 2, 3))
