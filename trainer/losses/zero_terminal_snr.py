"""How is a noise schedule changed so that its last step is pure noise?"""

from __future__ import annotations

import torch
from torch import Tensor


def rescaled(alphas_cumprod: Tensor) -> Tensor:
    """Lin et al. 2023, arXiv:2305.08891, algorithm 1: sqrt(a) is shifted to end at 0 and stretched to begin where it did; (T,)."""
    root = alphas_cumprod.sqrt()
    return ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2


def alphas_of_betas(betas: Tensor) -> Tensor:
    """The share of the picture's variance that is left after each step: the products of 1 - beta (arXiv:2006.11239, section 2); (T,)."""
    return torch.cumprod(1 - betas, dim=0)
