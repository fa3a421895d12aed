"""How is a latent walked when each step remembers the steps before?

LMS and PLMS (arXiv:2202.09778) mix slopes; DPM-Solver++ (2211.01095) and UniPC (2302.04867) mix noiseless estimates.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from lib_extension.engine.walk import Walk, noised_on_path, slope_of, steps_of


def lms(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    """Linear multistep of order 4 with exact coefficients for uneven levels."""
    slopes: list[Tensor] = []
    for i, sigma, after in steps_of(sigmas):
        slopes = [slope_of(x, walk.denoise(x, sigma), sigma), *slopes[:3]]
        weights = _adams_bashforth(sigmas[: i + 1][::-1][: len(slopes)], sigma, after)
        x = x + sum(weight * slope for weight, slope in zip(weights, slopes, strict=True))
        walk.done(i)
    return x


def plms(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    """PNDM's pseudo linear multistep: Adams-Bashforth weights for even steps, whatever the levels are."""
    table = ((3 / 2, -1 / 2), (23 / 12, -16 / 12, 5 / 12), (55 / 24, -59 / 24, 37 / 24, -9 / 24))
    slopes: list[Tensor] = []
    for i, sigma, after in steps_of(sigmas):
        slope = slope_of(x, walk.denoise(x, sigma), sigma)
        slopes = [slope, *slopes[:3]]
        if len(slopes) == 1:
            ahead = x + slope * (after - sigma)
            mixed = (slope + slope_of(ahead, walk.denoise(ahead, after), after)) / 2 if after > 0 else slope
        else:
            mixed = _weighted(table[len(slopes) - 2], slopes)
        x = x + mixed * (after - sigma)
        walk.done(i)
    return x


def dpmpp_2m(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    before: Tensor | None = None
    for i, sigma, after in steps_of(sigmas):
        denoised = walk.denoise(x, sigma)
        if before is None or after == 0:
            ahead = denoised
        else:
            r = math.log(sigmas[i - 1] / sigma) / math.log(sigma / after)
            ahead = denoised + (denoised - before) / (2 * r)
        x = x * (after / sigma) + ahead * (1 - after / sigma)
        before = denoised
        walk.done(i)
    return x


def dpmpp_2m_sde(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    return _dpmpp_2m_sde(walk, x, sigmas, heun_form=False)


def dpmpp_2m_sde_heun(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    return _dpmpp_2m_sde(walk, x, sigmas, heun_form=True)


def dpmpp_3m_sde(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    before: list[Tensor] = []
    widths: list[float] = []
    for i, sigma, after in steps_of(sigmas):
        denoised = walk.denoise(x, sigma)
        if after == 0:
            x = denoised
        else:
            width = math.log(sigma / after)
            eased = width * (walk.eta + 1)
            x = math.exp(-eased) * x - math.expm1(-eased) * denoised
            phi_2 = math.expm1(-eased) / eased + 1
            if len(before) == 2:
                r0, r1 = widths[0] / width, widths[1] / width
                d1_0 = (denoised - before[0]) / r0
                d1_1 = (before[0] - before[1]) / r1
                d1 = d1_0 + (d1_0 - d1_1) * r0 / (r0 + r1)
                d2 = (d1_0 - d1_1) / (r0 + r1)
                x = x + phi_2 * d1 - (phi_2 / eased - 0.5) * d2
            elif before:
                x = x + phi_2 * (denoised - before[0]) / (widths[0] / width)
            x = noised_on_path(walk, x, after * math.sqrt(-math.expm1(-2 * width * walk.eta)), sigma, after)
            widths = [width, *widths[:1]]
        before = [denoised, *before[:1]]
        walk.done(i)
    return x


def unipc(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    """UniPC-3 (B(h) = h, data prediction): each step is predicted, and corrected by the estimate that the next step needs anyway."""
    estimates = [walk.denoise(x, sigmas[0])]
    visited = [sigmas[0]]
    last = len(sigmas) - 1
    for i in range(1, last + 1):
        order = min(3, i, last - i + 1)
        start, after = x, sigmas[i]
        x = _unipc_update(start, estimates[-order:], visited[-order:], after, None)
        if i < last:
            estimate = walk.denoise(x, after)
            x = _unipc_update(start, estimates[-order:], visited[-order:], after, estimate)
            estimates, visited = [*estimates[-2:], estimate], [*visited[-2:], after]
        walk.done(i - 1)
    return x


def _adams_bashforth(known: list[float], sigma: float, after: float) -> list[float]:
    """Integrals from ``sigma`` to ``after`` of the Lagrange polynomials through ``known``, newest first."""
    weights = []
    for i, place in enumerate(known):
        others = [other for j, other in enumerate(known) if j != i]
        scale = math.prod(place - other for other in others)
        integral = np.polynomial.Polynomial.fromroots(others).integ() if others else np.polynomial.Polynomial([0.0, 1.0])
        weights.append(float(integral(after) - integral(sigma)) / scale)
    return weights


def _weighted(weights: tuple[float, ...], tensors: list[Tensor]) -> Tensor:
    return torch.stack([weight * tensor for weight, tensor in zip(weights, tensors, strict=True)]).sum(0)


def _dpmpp_2m_sde(walk: Walk, x: Tensor, sigmas: list[float], *, heun_form: bool) -> Tensor:
    before: Tensor | None = None
    width_before = 0.0
    for i, sigma, after in steps_of(sigmas):
        denoised = walk.denoise(x, sigma)
        if after == 0:
            x = denoised
        else:
            width = math.log(sigma / after)
            eased = walk.eta * width
            kept = -math.expm1(-width - eased)
            x = (after / sigma) * math.exp(-eased) * x + kept * denoised
            if before is not None:
                r = width_before / width
                share = kept / (-width - eased) + 1 if heun_form else 0.5 * kept
                x = x + share * (denoised - before) / r
            x = noised_on_path(walk, x, after * math.sqrt(-math.expm1(-2 * eased)), sigma, after)
            width_before = width
        before = denoised
        walk.done(i)
    return x


def _unipc_update(x: Tensor, estimates: list[Tensor], visited: list[float], after: float, corrected_by: Tensor | None) -> Tensor:
    """Equations 3 and 5 of the paper from the level visited last to ``after``, for a latent that is not scaled (alpha = 1)."""
    sigma, newest = visited[-1], estimates[-1]
    h = math.log(sigma / after)
    ratios = [math.log(sigma / other) / h for other in reversed(visited[:-1])]  # negative: they lie behind
    differences = [(estimate - newest) / ratio for estimate, ratio in zip(reversed(estimates[:-1]), ratios, strict=True)]
    if corrected_by is not None:
        ratios.append(1.0)
        differences.append(corrected_by - newest)
    base = x * (after / sigma) - math.expm1(-h) * newest
    if not differences:
        return base
    weights = _unipc_weights(ratios, -h)
    return base + h * _weighted(tuple(weights), differences)


def _unipc_weights(ratios: list[float], h: float) -> list[float]:
    """The coefficients rho that make the step exact for polynomials; a single one is 1/2 by the paper's choice."""
    if len(ratios) == 1:
        return [0.5]
    phi = math.expm1(h) / h - 1
    rows, right = [], []
    for k in range(1, len(ratios) + 1):
        rows.append([ratio ** (k - 1) for ratio in ratios])
        right.append(phi * math.factorial(k) / h)
        phi = phi / h - 1 / math.factorial(k + 1)
    return np.linalg.solve(np.array(rows), np.array(right)).tolist()
