"""What may a solver call on its walk from noise to picture, and what do all solvers share?

``x`` is (B, C, h, w), a latent plus sigma times noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Churn:
    """Karras et al., algorithm 2: extra noise between ``t_min`` and ``t_max``."""

    churn: float = 0.0
    t_min: float = 0.0
    t_max: float = math.inf
    noise: float = 1.0


@dataclass(frozen=True)
class Walk:
    """What a solver may call. ``noise()`` gives fresh noise of x's shape, ``path_noise(sigma, after)`` that of a Brownian path.

    ``done(i)`` is told after step i (from 0).
    """

    denoise: Callable[[Tensor, float], Tensor]
    noise: Callable[[], Tensor]
    path_noise: Callable[[float, float], Tensor]
    done: Callable[[int], None]
    negative: Callable[[], Tensor]  # The last noiseless estimate by the negative prompt alone.
    eta: float = 1.0
    churn: Churn = Churn()


Solver = Callable[[Walk, Tensor, list[float]], Tensor]


def steps_of(sigmas: list[float]) -> list[tuple[int, float, float]]:
    return [(i, sigmas[i], sigmas[i + 1]) for i in range(len(sigmas) - 1)]


def slope_of(x: Tensor, denoised: Tensor, sigma: float) -> Tensor:
    """dx/dsigma, which is also the noise in x."""
    return (x - denoised) / sigma


def toward(x: Tensor, denoised: Tensor, sigma: float, after: float) -> Tensor:
    """One exact step of the ODE if ``denoised`` stayed as it is."""
    return x * (after / sigma) + denoised * (1 - after / sigma)


def noised(walk: Walk, x: Tensor, amount: float) -> Tensor:
    return x + walk.noise() * (amount * walk.churn.noise) if amount > 0 else x


def noised_on_path(walk: Walk, x: Tensor, amount: float, sigma: float, after: float) -> Tensor:
    return x + walk.path_noise(sigma, after) * (amount * walk.churn.noise) if amount > 0 else x


def ancestral(sigma: float, after: float, eta: float) -> tuple[float, float]:
    """Down to the first level without noise, then up to ``after`` by noise of the second size."""
    up = min(after, eta * math.sqrt(after**2 * (sigma**2 - after**2)) / sigma)
    return math.sqrt(max(after**2 - up**2, 0.0)), up


def churned(walk: Walk, x: Tensor, sigma: float, steps: int) -> tuple[Tensor, float]:
    churn = walk.churn
    gamma = min(churn.churn / steps, math.sqrt(2) - 1) if churn.t_min <= sigma <= churn.t_max else 0.0
    if gamma == 0:
        return x, sigma
    raised = sigma * (1 + gamma)
    return noised(walk, x, math.sqrt(raised**2 - sigma**2)), raised
