"""How far off is an answer, where outliers are to count less than by squares?"""

from __future__ import annotations

from math import log

import torch
from torch import Tensor

TIMESTEPS = 1000


def pseudo_huber(answer: Tensor, target: Tensor, c: Tensor) -> Tensor:
    """2 c (sqrt(d² + c²) - c), which is d² for d much smaller than c: Khrapov et al. 2024, arXiv:2403.16728.

    c (B, 1, 1, 1); their loss is half of it, which here is to be as large as the squares that it stands for.
    """
    return 2 * c * (((answer - target) ** 2 + c**2).sqrt() - c)


def huber_c(schedule: str, c: float, timesteps: Tensor, snr: Tensor) -> Tensor:
    """c at each timestep (B,). "exponential" goes from 1 to c over all timesteps, "snr" from 1 to c as the noise grows:
    (1 - c) / (1 + sigma)² + c, where sigma² = 1 / SNR.
    """
    if schedule == "exponential":
        return torch.exp(timesteps * (log(c) / TIMESTEPS))
    if schedule == "snr":
        return (1 - c) / (1 + snr.rsqrt()) ** 2 + c
    return torch.full_like(snr, c)
