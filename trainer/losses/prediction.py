"""What is the model to answer: the noise, or v?"""

from __future__ import annotations

from torch import Tensor


def noisy(latents: Tensor, noise: Tensor, alphas: Tensor) -> Tensor:
    """sqrt(a) x + sqrt(1 - a) noise: Ho et al. 2020, arXiv:2006.11239, equation 4. alphas (B, 1, 1, 1)."""
    return alphas.sqrt() * latents + (1 - alphas).sqrt() * noise


def velocity(latents: Tensor, noise: Tensor, alphas: Tensor) -> Tensor:
    """v = sqrt(a) noise - sqrt(1 - a) x: Salimans and Ho 2022, arXiv:2202.00512, section 4. alphas (B, 1, 1, 1)."""
    return alphas.sqrt() * noise - (1 - alphas).sqrt() * latents


def snr(alphas: Tensor) -> Tensor:
    """a / (1 - a), the signal-to-noise ratio (arXiv:2107.00630, section 3.1)."""
    return alphas / (1 - alphas)
